import { carriageOf } from '../shared/http/carriage.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { clientIn } from '../shared/http/request.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv, readSettings } from '../shared/runtime/env.ts';
import { newTokenId } from '../shared/runtime/ids.ts';
import { secret } from '../shared/runtime/secrets.ts';
import { remoteSigner } from '../shared/runtime/with-kms.ts';
import { storeClient } from '../shared/store/client.ts';
import { sessionChanger, sessionRevoker, unreadRotator } from '../shared/store/sessions.ts';
import { userFinder } from '../shared/store/users.ts';
import { pairsWith } from '../shared/token/pair.ts';
import { importedSecretsFrom, refreshReaderWith, refreshTokensWith } from '../shared/token/refresh-token.ts';
import { importedRingFrom, signerWith } from '../shared/token/sign.ts';
import { refresh, type RefreshNeeds } from './refresh.ts';

const env = readEnv('ISSUER', 'USERS_TABLE', 'SESSIONS_TABLE', 'SIGNING_KEYS_SECRET', 'REFRESH_SECRETS_SECRET');
const settings = readSettings(
  'audience',
  'clientId',
  'accessTokenLifetime',
  'sessionIdleLifetime',
  'endedSessionsKept',
  'clientPrint',
);

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const refreshSecrets = secret(env.REFRESH_SECRETS_SECRET, importedSecretsFrom);
const terms = {
  issuer: env.ISSUER,
  audience: settings.audience,
  clientId: settings.clientId,
  lifetime: settings.accessTokenLifetime,
};

const needs: Omit<RefreshNeeds, 'note'> = {
  now,
  readToken: refreshReaderWith(refreshSecrets),
  findUser: userFinder(store, env.USERS_TABLE),
  rotateUnread: unreadRotator(store, env.SESSIONS_TABLE),
  changeSession: sessionChanger(store, env.SESSIONS_TABLE),
  revokeSession: sessionRevoker(store, env.SESSIONS_TABLE, settings.endedSessionsKept),
  pair: pairsWith(
    signerWith(secret(env.SIGNING_KEYS_SECRET, importedRingFrom), remoteSigner()),
    refreshTokensWith(refreshSecrets),
    terms,
    newTokenId,
  ),
  idle: settings.sessionIdleLifetime,
};

export const handler = endpoint(async (event, note) => {
  const carriage = carriageOf(event);
  const token = carriage.refreshToken(event);
  return carriage.handOver(await refresh(token, clientIn(event, settings.clientPrint), { ...needs, note }));
});
