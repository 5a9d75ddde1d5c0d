import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { carriageOf, forgetting } from '../shared/http/carriage.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv, readSettings } from '../shared/runtime/env.ts';
import { secret } from '../shared/runtime/secrets.ts';
import { storeClient } from '../shared/store/client.ts';
import { sessionRevoker } from '../shared/store/sessions.ts';
import { importedSecretsFrom, refreshReaderWith } from '../shared/token/refresh-token.ts';
import { blacklist, type BlacklistNeeds } from './blacklist.ts';

const env = readEnv('SESSIONS_TABLE', 'REFRESH_SECRETS_SECRET');
const settings = readSettings('endedSessionsKept');

const needs: Omit<BlacklistNeeds, 'note'> = {
  now,
  readToken: refreshReaderWith(secret(env.REFRESH_SECRETS_SECRET, importedSecretsFrom)),
  revokeSession: sessionRevoker(
    storeClient(connection('DYNAMODB_ENDPOINT')),
    env.SESSIONS_TABLE,
    settings.endedSessionsKept,
  ),
};

const logOut = endpoint((event, note) =>
  carriageOf(event).logOut(event, (token) => blacklist(token, { ...needs, note })),
);

export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> =>
  forgetting(event, await logOut(event));
