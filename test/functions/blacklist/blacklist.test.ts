import { beforeEach, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { SessionId } from '../../../functions/shared/domain/ids.ts';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import { START } from '../../support/clock.ts';
import { LIFETIMES, newWorld, refusalOf, unreachable, type Account, type World } from '../../support/world.ts';

let world: World;
let account: Account;
let first: TokenPair;

beforeEach(async () => {
  world = newWorld();
  account = await world.account();
  first = await world.login(account);
});

const revokedAt = async (): Promise<unknown> => {
  const { sid } = decodeJwt<{ sid: SessionId }>(first.refresh);
  return (await world.store.findSession(account.user.id, sid))?.revokedAt;
};

test('ends the session with one call of the store', async () => {
  world.store.calls.splice(0);
  await world.blacklist(first.refresh);
  expect(world.store.calls).toEqual(['revokeSession']);
  expect(await revokedAt()).toBe(START);
  expect(await refusalOf(world.refresh(first.refresh))).toBe('session-revoked');
});

test('ends it with any counter it ever had', async () => {
  world.clock.advance(100);
  const second = await world.refresh(first.refresh);
  world.clock.advance(100);
  const third = await world.refresh(second.refresh);
  await world.blacklist(first.refresh);
  for (const { refresh } of [first, second, third]) {
    expect(await refusalOf(world.refresh(refresh))).toBe('session-revoked');
  }
});

test('again says the same and changes nothing', async () => {
  await world.blacklist(first.refresh);
  world.clock.advance(100);
  expect(await refusalOf(world.blacklist(first.refresh))).toBe('accepted');
  expect(await revokedAt()).toBe(START);
});

test('of a session that is not there says the same and makes none', async () => {
  const elsewhere = newWorld();
  const before = elsewhere.store.dump();
  expect(await refusalOf(elsewhere.blacklist(first.refresh))).toBe('accepted');
  expect(elsewhere.store.dump()).toBe(before);
});

test('ends no other session of the user', async () => {
  const other = await world.login(account);
  await world.blacklist(first.refresh);
  expect(await refusalOf(world.refresh(other.refresh))).toBe('accepted');
});

test('takes a token until the second before its end', async () => {
  world.clock.advance(LIFETIMES.idle);
  expect(await refusalOf(world.blacklist(first.refresh))).toBe('token-expired');
  world.clock.advance(-1);
  expect(await refusalOf(world.blacklist(first.refresh))).toBe('accepted');
});

test('a forgery or an access token asks the store nothing', async () => {
  world.store.calls.splice(0);
  const forged = first.refresh.replace(/[^.]+$/, Buffer.alloc(32).toString('base64url'));
  expect(await refusalOf(world.blacklist(forged))).toBe('token-forged');
  expect(await refusalOf(world.blacklist(first.access))).toBe('token-wrong-type');
  expect(world.store.calls).toEqual([]);
});

test('that cannot be written is an outage', async () => {
  expect(await refusalOf(world.blacklist(first.refresh, { revokeSession: unreachable }))).toBe('outage');
});

test('is noted as a log out, and not once more where the session was out already', async () => {
  world.events.splice(0);
  await world.blacklist(first.refresh);
  await world.blacklist(first.refresh);
  const { sub, sid } = decodeJwt(first.refresh);
  expect(world.events).toEqual([{ event: 'logout', userId: sub, sessionId: sid }]);
});
