import type { APIGatewayProxyEvent } from 'aws-lambda';
import { displayNameFaults, emailFaults } from '../shared/domain/profile-fields.ts';
import { anyText, changesIn, requiredOf, stringsIn } from '../shared/http/body.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { json, noContent } from '../shared/http/reply.ts';
import { callerIn } from '../shared/http/request.ts';
import { mailerFrom } from '../shared/mail/mailer.ts';
import { passwordsWith } from '../shared/password/hash.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv, readSettings } from '../shared/runtime/env.ts';
import { newCode } from '../shared/runtime/ids.ts';
import { log, nameOf } from '../shared/runtime/log.ts';
import { secret } from '../shared/runtime/secrets.ts';
import { attemptCounter, attemptsClearer } from '../shared/store/attempts.ts';
import { storeClient } from '../shared/store/client.ts';
import { codePutter } from '../shared/store/codes.ts';
import { emailRemover } from '../shared/store/emails.ts';
import { epochRaiser } from '../shared/store/epochs.ts';
import { loginFinder } from '../shared/store/logins.ts';
import { accountRemover, sessionsRemover } from '../shared/store/removal.ts';
import { sessionLister } from '../shared/store/session-list.ts';
import { sessionFinder } from '../shared/store/sessions.ts';
import { profileChanger, userFinder } from '../shared/store/users.ts';
import { sharedSecretsFrom } from '../shared/token/key-ring.ts';
import { changeAccount, type AccountChange, type ChangeNeeds } from './change.ts';
import { deleteAccount, type DeleteNeeds } from './delete.ts';
import { exportAccount, type ExportNeeds } from './export.ts';

const env = readEnv('USERS_TABLE', 'SESSIONS_TABLE', 'PEPPERS_SECRET');
const settings = readSettings('bcryptCost', 'mailFrom', 'verifyLink');

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const shared: Omit<ChangeNeeds & DeleteNeeds & ExportNeeds, 'note'> = {
  now,
  findSession: sessionFinder(store, env.SESSIONS_TABLE),
  findUser: userFinder(store, env.USERS_TABLE),
  countAttempt: attemptCounter(store, env.USERS_TABLE),
  clearAttempts: attemptsClearer(store, env.USERS_TABLE),
  findLogin: loginFinder(store, env.USERS_TABLE),
  passwords: passwordsWith(secret(env.PEPPERS_SECRET, sharedSecretsFrom), settings.bcryptCost, now),
  changeProfile: profileChanger(store, env.USERS_TABLE),
  removeEmail: emailRemover(store, env.USERS_TABLE),
  putCode: codePutter(store, env.USERS_TABLE),
  newCode,
  verifyLink: settings.verifyLink,
  sendMail: mailerFrom(settings.mailFrom, connection('SES_ENDPOINT')),
  raiseEpoch: epochRaiser(store, env.USERS_TABLE),
  listSessions: sessionLister(store, env.SESSIONS_TABLE),
  removeSessions: sessionsRemover(store, env.SESSIONS_TABLE),
  removeAccount: accountRemover(store, env.USERS_TABLE),
  warn: (event, error) => log('WARN', event, { error: nameOf(error) }),
};

const DOWNLOAD = { 'Content-Disposition': 'attachment; filename="account.json"' };

export const handler = endpoint(async (event, note) => {
  const needs = { ...shared, note };
  const caller = callerIn(event, now());
  switch (event.httpMethod) {
    case 'GET':
      return json(200, await exportAccount(caller, needs), DOWNLOAD);
    case 'DELETE':
      await deleteAccount(caller, stringsIn(event, 'current_password').current_password, needs);
      return noContent();
    default:
      return json(200, await changeAccount(caller, changeIn(event), needs));
  }
});

/** @throws {Refusal} as {@link changesIn}; `invalid-fields` for an address without the current password */
function changeIn(event: APIGatewayProxyEvent): AccountChange {
  const rules = { display_name: displayNameFaults, email: emailFaults, current_password: anyText };
  const { display_name, email, current_password } = changesIn(event, rules);
  return {
    ...(display_name !== undefined && { displayName: display_name }),
    ...(email !== undefined && {
      email: { address: email, currentPassword: requiredOf('current_password', current_password) },
    }),
  };
}
