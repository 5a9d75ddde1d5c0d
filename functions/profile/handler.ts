import { displayNameFaults, emailFaults } from '../shared/domain/profile-fields.ts';
import { changesIn } from '../shared/http/body.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { json } from '../shared/http/reply.ts';
import { callerIn } from '../shared/http/request.ts';
import { now } from '../shared/runtime/clock.ts';
import { optionalEnv, readEnv } from '../shared/runtime/env.ts';
import { storeClient } from '../shared/store/client.ts';
import { sessionFinder } from '../shared/store/sessions.ts';
import { profileChanger, userFinder } from '../shared/store/users.ts';
import { changeProfile, profile, type ProfileNeeds } from './profile.ts';

const env = readEnv('USERS_TABLE', 'SESSIONS_TABLE');

const store = storeClient(optionalEnv('DYNAMODB_ENDPOINT'));
const needs: ProfileNeeds = {
  now,
  findSession: sessionFinder(store, env.SESSIONS_TABLE),
  findUser: userFinder(store, env.USERS_TABLE),
  changeProfile: profileChanger(store, env.USERS_TABLE),
};

export const handler = endpoint(async (event) => {
  const caller = callerIn(event, now());
  if (event.httpMethod === 'GET') return json(200, await profile(caller, needs));
  const { display_name, email } = changesIn(event, { display_name: displayNameFaults, email: emailFaults });
  const change = {
    ...(display_name !== undefined && { displayName: display_name }),
    ...(email !== undefined && { email }),
  };
  return json(200, await changeProfile(caller, change, needs));
});
