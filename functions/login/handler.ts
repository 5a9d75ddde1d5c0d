import { anyText, fieldsIn } from '../shared/http/body.ts';
import { carriageOf } from '../shared/http/carriage.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { clientIn, deviceIn } from '../shared/http/request.ts';
import { passwordsWith } from '../shared/password/hash.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv, readSettings } from '../shared/runtime/env.ts';
import { newDeviceId, newSessionId, newTokenId } from '../shared/runtime/ids.ts';
import { log, nameOf } from '../shared/runtime/log.ts';
import { secret } from '../shared/runtime/secrets.ts';
import { remoteSigner } from '../shared/runtime/with-kms.ts';
import { addressAttempts } from '../shared/store/address-attempts.ts';
import { attemptCounter, attemptsClearer } from '../shared/store/attempts.ts';
import { storeClient } from '../shared/store/client.ts';
import { hashReplacer, loginFinder } from '../shared/store/logins.ts';
import { sessionLister } from '../shared/store/session-list.ts';
import { sessionPutter, sessionRemover } from '../shared/store/sessions.ts';
import { userFinder } from '../shared/store/users.ts';
import { deviceReaderWith, deviceTokensWith } from '../shared/token/device-token.ts';
import { sharedSecretsFrom } from '../shared/token/key-ring.ts';
import { pairsWith } from '../shared/token/pair.ts';
import { importedSecretsFrom, refreshTokensWith } from '../shared/token/refresh-token.ts';
import { importedRingFrom, signerWith } from '../shared/token/sign.ts';
import { login, type LoginNeeds } from './login.ts';

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
  'sessionsPerUser',
  'loginsPerAddress',
  'clientPrint',
  'bcryptCost',
);

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const refreshSecrets = secret(env.REFRESH_SECRETS_SECRET, importedSecretsFrom);
const terms = {
  issuer: env.ISSUER,
  audience: settings.audience,
  clientId: settings.clientId,
  lifetime: settings.accessTokenLifetime,
};

const needs: Omit<LoginNeeds, 'note'> = {
  now,
  countAttempt: attemptCounter(store, env.USERS_TABLE),
  clearAttempts: attemptsClearer(store, env.USERS_TABLE),
  failures: addressAttempts(store, env.USERS_TABLE, { what: 'login', limit: settings.loginsPerAddress, window: 600 }),
  readDevice: deviceReaderWith(refreshSecrets),
  makeDevice: deviceTokensWith(refreshSecrets),
  newDeviceId,
  findLogin: loginFinder(store, env.USERS_TABLE),
  findUser: userFinder(store, env.USERS_TABLE),
  passwords: passwordsWith(secret(env.PEPPERS_SECRET, sharedSecretsFrom), settings.bcryptCost, now),
  replaceHash: hashReplacer(store, env.USERS_TABLE),
  putSession: sessionPutter(store, env.SESSIONS_TABLE),
  newSessionId,
  pair: pairsWith(
    signerWith(secret(env.SIGNING_KEYS_SECRET, importedRingFrom), remoteSigner()),
    refreshTokensWith(refreshSecrets),
    terms,
    newTokenId,
  ),
  listSessions: sessionLister(store, env.SESSIONS_TABLE),
  removeSession: sessionRemover(store, env.SESSIONS_TABLE),
  sessionsPerUser: settings.sessionsPerUser,
  lifetimes: { idle: settings.sessionIdleLifetime, absolute: settings.sessionLifetime },
  warn: (event, error) => log('WARN', event, { error: nameOf(error) }),
};

export const handler = endpoint(async (event, note) => {
  const carriage = carriageOf(event);
  const { username, password, device_token } = fieldsIn(
    event,
    { username: anyText, password: anyText },
    { device_token: anyText },
  );
  const credentials = { username, password, deviceToken: carriage.deviceToken(event, device_token) };
  const seen = { client: clientIn(event, settings.clientPrint), device: deviceIn(event) };
  return carriage.handOver(await login(credentials, seen, { ...needs, note }));
});
