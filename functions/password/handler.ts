import { stringsIn } from '../shared/http/body.ts';
import { carriageOf } from '../shared/http/carriage.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { callerIn, clientIn, deviceIn } from '../shared/http/request.ts';
import { passwordsWith } from '../shared/password/hash.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv, readSettings } from '../shared/runtime/env.ts';
import { newSessionId, newTokenId } from '../shared/runtime/ids.ts';
import { log, nameOf } from '../shared/runtime/log.ts';
import { secret } from '../shared/runtime/secrets.ts';
import { remoteSigner } from '../shared/runtime/with-kms.ts';
import { attemptCounter, attemptsClearer } from '../shared/store/attempts.ts';
import { storeClient } from '../shared/store/client.ts';
import { loginFinder } from '../shared/store/logins.ts';
import { passwordChanger } from '../shared/store/passwords.ts';
import { sessionFinder } from '../shared/store/sessions.ts';
import { userFinder } from '../shared/store/users.ts';
import { sharedSecretsFrom } from '../shared/token/key-ring.ts';
import { pairsWith } from '../shared/token/pair.ts';
import { importedSecretsFrom, refreshTokensWith } from '../shared/token/refresh-token.ts';
import { importedRingFrom, signerWith } from '../shared/token/sign.ts';
import { changePassword, type PasswordNeeds } from './password.ts';

const env = readEnv(
  'ISSUER',
  'USERS_TABLE',
  'SESSIONS_TABLE',
  'SIGNING_KEYS_SECRET',
  'REFRESH_SECRETS_SECRET',
  'PEPPERS_SECRET',
);
const settings = readSettings(
  'audience',
  'clientId',
  'accessTokenLifetime',
  'sessionIdleLifetime',
  'sessionLifetime',
  'clientPrint',
  'bcryptCost',
  'passwordMinLength',
);

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const terms = {
  issuer: env.ISSUER,
  audience: settings.audience,
  clientId: settings.clientId,
  lifetime: settings.accessTokenLifetime,
};

const needs: Omit<PasswordNeeds, 'note'> = {
  now,
  findSession: sessionFinder(store, env.SESSIONS_TABLE),
  findUser: userFinder(store, env.USERS_TABLE),
  countAttempt: attemptCounter(store, env.USERS_TABLE),
  clearAttempts: attemptsClearer(store, env.USERS_TABLE),
  findLogin: loginFinder(store, env.USERS_TABLE),
  passwords: passwordsWith(secret(env.PEPPERS_SECRET, sharedSecretsFrom), settings.bcryptCost, now),
  changePassword: passwordChanger(store, { users: env.USERS_TABLE, sessions: env.SESSIONS_TABLE }),
  newSessionId,
  pair: pairsWith(
    signerWith(secret(env.SIGNING_KEYS_SECRET, importedRingFrom), remoteSigner()),
    refreshTokensWith(secret(env.REFRESH_SECRETS_SECRET, importedSecretsFrom)),
    terms,
    newTokenId,
  ),
  lifetimes: { idle: settings.sessionIdleLifetime, absolute: settings.sessionLifetime },
  minimumLength: settings.passwordMinLength,
  warn: (event, error) => log('WARN', event, { error: nameOf(error) }),
};

export const handler = endpoint(async (event, note) => {
  const carriage = carriageOf(event);
  const caller = callerIn(event, now());
  const { current_password: current, new_password: wanted } = stringsIn(event, 'current_password', 'new_password');
  const seen = { client: clientIn(event, settings.clientPrint), device: deviceIn(event) };
  return carriage.handOver(await changePassword(caller, { current, wanted }, seen, { ...needs, note }));
});
