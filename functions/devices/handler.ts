import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Caller } from '../shared/domain/standing.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { choiceIn, pageIn } from '../shared/http/query.ts';
import { json, noContent } from '../shared/http/reply.ts';
import { callerIn } from '../shared/http/request.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv, readSettings } from '../shared/runtime/env.ts';
import { storeClient } from '../shared/store/client.ts';
import { epochRaiser, othersEnder } from '../shared/store/epochs.ts';
import { sessionLister } from '../shared/store/session-list.ts';
import { sessionFinder, sessionRevoker } from '../shared/store/sessions.ts';
import { userFinder } from '../shared/store/users.ts';
import { endAllSessions, endOtherSessions, endSession, listSessions, type DevicesNeeds } from './devices.ts';

const env = readEnv('USERS_TABLE', 'SESSIONS_TABLE');
const settings = readSettings('endedSessionsKept');

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const shared: Omit<DevicesNeeds, 'note'> = {
  now,
  findSession: sessionFinder(store, env.SESSIONS_TABLE),
  findUser: userFinder(store, env.USERS_TABLE),
  listSessions: sessionLister(store, env.SESSIONS_TABLE),
  revokeSession: sessionRevoker(store, env.SESSIONS_TABLE, settings.endedSessionsKept),
  raiseEpoch: epochRaiser(store, env.USERS_TABLE),
  endOthers: othersEnder(store, { users: env.USERS_TABLE, sessions: env.SESSIONS_TABLE }),
};

export const handler = endpoint(async (event, note) => {
  const needs = { ...shared, note };
  const caller = callerIn(event, now());
  if (event.httpMethod === 'GET') return list(event, caller, needs);
  const id = event.pathParameters?.['id'];
  if (id !== undefined) await endSession(caller, id, needs);
  else if (choiceIn(event, 'except', ['current']) === 'current') await endOtherSessions(caller, needs);
  else await endAllSessions(caller, needs);
  return noContent();
});

async function list(event: APIGatewayProxyEvent, caller: Caller, needs: DevicesNeeds): Promise<APIGatewayProxyResult> {
  const page = pageIn(event);
  const { results, next } = await listSessions(caller, page, needs);
  const query = new URLSearchParams({ limit: String(page.limit), cursor: next ?? '' });
  return json(200, { next: next === undefined ? null : `${event.requestContext.path}?${query.toString()}`, results });
}
