import { emailFaults } from '../shared/domain/profile-fields.ts';
import { fieldsIn } from '../shared/http/body.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { json } from '../shared/http/reply.ts';
import { deviceIn } from '../shared/http/request.ts';
import { mailerFrom } from '../shared/mail/mailer.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv, readSettings } from '../shared/runtime/env.ts';
import { newCode } from '../shared/runtime/ids.ts';
import { log, nameOf } from '../shared/runtime/log.ts';
import { pauseOf } from '../shared/runtime/pause.ts';
import { attemptCounter } from '../shared/store/attempts.ts';
import { storeClient } from '../shared/store/client.ts';
import { codePutter } from '../shared/store/codes.ts';
import { emailFinder } from '../shared/store/emails.ts';
import { userFinder } from '../shared/store/users.ts';
import { askForReset, type ResetNeeds } from './reset-password.ts';

const env = readEnv('USERS_TABLE');
const settings = readSettings('mailFrom', 'resetLink', 'resetAnswerTime');

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const needs: Omit<ResetNeeds, 'note'> = {
  now,
  countAttempt: attemptCounter(store, env.USERS_TABLE),
  findByEmail: emailFinder(store, env.USERS_TABLE),
  findUser: userFinder(store, env.USERS_TABLE),
  putCode: codePutter(store, env.USERS_TABLE),
  newCode,
  resetLink: settings.resetLink,
  sendMail: mailerFrom(settings.mailFrom, connection('SES_ENDPOINT')),
  pause: pauseOf(settings.resetAnswerTime),
  warn: (event, error) => log('WARN', event, { error: nameOf(error) }),
};

export const handler = endpoint(async (event, note) => {
  const { email } = fieldsIn(event, { email: emailFaults });
  await askForReset(email, deviceIn(event).address, { ...needs, note });
  return json(200, {});
});
