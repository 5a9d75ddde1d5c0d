import { beforeEach, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { SessionId } from '../../../functions/shared/domain/ids.ts';
import type { Caller } from '../../../functions/shared/domain/standing.ts';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import { LIFETIMES, newWorld, refusalOf, unreachable, type Account, type World } from '../../support/world.ts';

let world: World;
let account: Account;
let pair: TokenPair;
let caller: Caller;

beforeEach(async () => {
  world = newWorld();
  account = await world.account();
  pair = await world.login(account);
  caller = { userId: account.user.id, sessionId: decodeJwt<{ sid: SessionId }>(pair.access).sid };
});

test('is the user’s own, with null for what they never said', async () => {
  const { id } = account.user;
  const nothing = { display_name: null, email: null, email_verified: false, pending_email: null, roles: [] };
  const bare = { id, username: 'Ada', ...nothing, created_at: '2023-11-14T22:13:20Z' };
  expect(await world.profile(caller)).toEqual(bare);
  const said = { displayName: 'Ada L.', email: 'ada@example.com', roles: ['admin'] };
  await world.store.setUser({ ...account.user, ...said });
  const shown = { ...bare, display_name: 'Ada L.', email: 'ada@example.com', roles: ['admin'] };
  expect(await world.profile(caller)).toEqual(shown);
  await world.store.setUser({ ...account.user, ...said, emailVerified: true, pendingEmail: 'lovelace@example.com' });
  expect(await world.profile(caller)).toEqual({
    ...shown,
    email_verified: true,
    pending_email: 'lovelace@example.com',
  });
});

test('reads the session and the user once each, and writes nothing', async () => {
  const before = world.store.dump();
  world.store.calls.splice(0);
  await world.profile(caller);
  expect(world.store.calls).toEqual(['findSession', 'findUser']);
  expect(world.store.dump()).toBe(before);
});

test.each<[string, () => unknown]>([
  ['its session was ended', () => world.blacklist(pair.refresh)],
  ['the user was disabled', () => world.store.setUser({ ...account.user, status: 'disabled' })],
  ['the password changed', () => world.setPassword(account, 'new password')],
  ['its session came to its end', () => world.clock.advance(LIFETIMES.idle)],
])('is refused at once where %s, and says no more than that', async (_, end) => {
  await end();
  expect(await refusalOf(world.profile(caller))).toBe('bearer-refused');
});

test('is refused for a session or a user that is not there', async () => {
  const unknown = { ...caller, sessionId: 'unknown' as SessionId };
  expect(await refusalOf(world.profile(unknown))).toBe('bearer-refused');
  const gone = { findUser: () => Promise.resolve(undefined) };
  expect(await refusalOf(world.profile(caller, gone))).toBe('bearer-refused');
});

test.each(['findSession', 'findUser'] as const)('is an outage where %s fails', async (name) => {
  expect(await refusalOf(world.profile(caller, { [name]: unreachable }))).toBe('outage');
});
