import { stringsIn } from '../shared/http/body.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { json } from '../shared/http/reply.ts';
import { clientIn } from '../shared/http/request.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv, readSettings } from '../shared/runtime/env.ts';
import { parameter, secret } from '../shared/runtime/secrets.ts';
import { storeClient } from '../shared/store/client.ts';
import { sessionFinder } from '../shared/store/sessions.ts';
import { userFinder } from '../shared/store/users.ts';
import { keyFinderIn, publishedKeysFrom } from '../shared/token/published-keys.ts';
import { importedSecretsFrom, refreshReaderWith } from '../shared/token/refresh-token.ts';
import { verifierWith } from '../shared/token/verify.ts';
import { verify, type VerifyNeeds } from './verify.ts';

const env = readEnv('ISSUER', 'USERS_TABLE', 'SESSIONS_TABLE', 'REFRESH_SECRETS_SECRET', 'PUBLIC_KEYS_PARAMETER');
const settings = readSettings('audience', 'accessTokenLifetime', 'sessionIdleLifetime', 'clientPrint');

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const publicKeys = parameter(env.PUBLIC_KEYS_PARAMETER, publishedKeysFrom);
const terms = { issuer: env.ISSUER, audience: settings.audience, lifetime: settings.accessTokenLifetime };

const needs: VerifyNeeds = {
  now,
  readRefreshToken: refreshReaderWith(secret(env.REFRESH_SECRETS_SECRET, importedSecretsFrom)),
  verifyAccessToken: verifierWith(keyFinderIn(publicKeys), terms),
  findSession: sessionFinder(store, env.SESSIONS_TABLE),
  findUser: userFinder(store, env.USERS_TABLE),
  idle: settings.sessionIdleLifetime,
};

export const handler = endpoint(async (event) => {
  const { token } = stringsIn(event, 'token');
  await verify(token, clientIn(event, settings.clientPrint), needs);
  return json(200, {});
});
