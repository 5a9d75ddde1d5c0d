import { stringsIn } from '../shared/http/body.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { json } from '../shared/http/reply.ts';
import { deviceIn } from '../shared/http/request.ts';
import { mailerFrom } from '../shared/mail/mailer.ts';
import { passwordsWith } from '../shared/password/hash.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv, readSettings } from '../shared/runtime/env.ts';
import { log, nameOf } from '../shared/runtime/log.ts';
import { secret } from '../shared/runtime/secrets.ts';
import { attemptsClearer } from '../shared/store/attempts.ts';
import { storeClient } from '../shared/store/client.ts';
import { codeFinder } from '../shared/store/codes.ts';
import { passwordResetter } from '../shared/store/resets.ts';
import { userFinder } from '../shared/store/users.ts';
import { sharedSecretsFrom } from '../shared/token/key-ring.ts';
import { confirmReset, type ConfirmNeeds } from './confirm-reset.ts';

const env = readEnv('USERS_TABLE', 'PEPPERS_SECRET');
const settings = readSettings('bcryptCost', 'passwordMinLength', 'mailFrom');

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const needs: Omit<ConfirmNeeds, 'note'> = {
  now,
  findCode: codeFinder(store, env.USERS_TABLE),
  findUser: userFinder(store, env.USERS_TABLE),
  passwords: passwordsWith(secret(env.PEPPERS_SECRET, sharedSecretsFrom), settings.bcryptCost, now),
  resetPassword: passwordResetter(store, env.USERS_TABLE),
  clearAttempts: attemptsClearer(store, env.USERS_TABLE),
  minimumLength: settings.passwordMinLength,
  sendMail: mailerFrom(settings.mailFrom, connection('SES_ENDPOINT')),
  warn: (event, error) => log('WARN', event, { error: nameOf(error) }),
};

export const handler = endpoint(async (event, note) => {
  const { token, new_password: wanted } = stringsIn(event, 'token', 'new_password');
  await confirmReset({ token, wanted }, deviceIn(event).address, { ...needs, note });
  return json(200, {});
});
