import { stringsIn } from '../shared/http/body.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { json } from '../shared/http/reply.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv } from '../shared/runtime/env.ts';
import { log, nameOf } from '../shared/runtime/log.ts';
import { attemptsClearer } from '../shared/store/attempts.ts';
import { storeClient } from '../shared/store/client.ts';
import { codeFinder } from '../shared/store/codes.ts';
import { emailVerifier } from '../shared/store/emails.ts';
import { userFinder } from '../shared/store/users.ts';
import { verifyEmail, type VerifyEmailNeeds } from './verify-email.ts';

const env = readEnv('USERS_TABLE');

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const needs: Omit<VerifyEmailNeeds, 'note'> = {
  now,
  findCode: codeFinder(store, env.USERS_TABLE),
  findUser: userFinder(store, env.USERS_TABLE),
  verifyEmail: emailVerifier(store, env.USERS_TABLE),
  clearAttempts: attemptsClearer(store, env.USERS_TABLE),
  warn: (event, error) => log('WARN', event, { error: nameOf(error) }),
};

export const handler = endpoint(async (event, note) => {
  const { token } = stringsIn(event, 'token');
  await verifyEmail(token, { ...needs, note });
  return json(200, {});
});
