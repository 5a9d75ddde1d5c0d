import type { StandingNeeds } from '../shared/domain/standing.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { json } from '../shared/http/reply.ts';
import { callerIn } from '../shared/http/request.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv } from '../shared/runtime/env.ts';
import { storeClient } from '../shared/store/client.ts';
import { sessionFinder } from '../shared/store/sessions.ts';
import { userFinder } from '../shared/store/users.ts';
import { profile } from './profile.ts';

const env = readEnv('USERS_TABLE', 'SESSIONS_TABLE');

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const needs: StandingNeeds = {
  now,
  findSession: sessionFinder(store, env.SESSIONS_TABLE),
  findUser: userFinder(store, env.USERS_TABLE),
};

export const handler = endpoint(async (event) => json(200, await profile(callerIn(event, now()), needs)));
