import { describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { SessionId } from '../../../functions/shared/domain/ids.ts';
import type { Session } from '../../../functions/shared/domain/session.ts';
import { after } from '../../../functions/shared/domain/time.ts';
import type { User } from '../../../functions/shared/domain/user.ts';
import { counter } from '../../support/builders.ts';
import { START } from '../../support/clock.ts';
import { LIFETIMES, newWorld, refusalOf, type World } from '../../support/world.ts';

interface State {
  readonly session?: Partial<Session>;
  readonly user?: Partial<User>;
}

/** Rotated at {@link START}: 1 is live, 0 its parent. */
const rotated = { current: counter(1), base: 0, parent: counter(0), rotatedAt: START, changedAt: START };

const STATES: Readonly<Record<string, State>> = {
  fresh: {},
  rotated: { session: rotated },
  'forked with a living sibling': { session: { ...rotated, current: counter(2) } },
  'forked late': { session: { ...rotated, current: counter(2), base: 1, rotatedAt: after(START, -500) } },
  adopted: { session: { ...rotated, current: counter(3), base: 2, parent: counter(2) } },
  'changed by a clock ahead of ours': { session: { ...rotated, changedAt: after(START, 500) } },
  revoked: { session: { ...rotated, revokedAt: START } },
  'idle too long': { session: { ...rotated, expiresAt: after(START, 30) } },
  'at its absolute end': { session: { ...rotated, maxExpiresAt: after(START, 30) } },
  'of a disabled user': { session: rotated, user: { status: 'disabled' } },
  'of an earlier epoch': { session: rotated, user: { epoch: 1 } },
};

/** A session in a state, a token of it for each counter, and the clock some seconds on. */
async function inState({ session, user }: State, seconds: number): Promise<{ world: World; tokens: string[] }> {
  const world = newWorld();
  const account = await world.account();
  const { refresh } = await world.login(account);
  const found = await world.store.findSession(account.user.id, decodeJwt<{ sid: SessionId }>(refresh).sid);
  const tokens = await Promise.all(
    [0, 1, 2, 3, 4].map(async (count) => {
      const { refresh: token } = await world.needs.pair(account.user, { ...found!, current: counter(count) }, START);
      return token;
    }),
  );
  await world.store.setSession({ ...found!, ...session });
  await world.store.setUser({ ...account.user, ...user });
  world.clock.advance(seconds);
  return { world, tokens };
}

describe('a refresh token', () => {
  const cases = Object.entries(STATES).flatMap(([name, state]) =>
    [0, 29, 30, 1_000].map((seconds): [string, number, State] => [name, seconds, state]),
  );

  test.each(cases)(
    '%s, %i s on: is good where a refresh would succeed, and writes nothing',
    async (_, seconds, state) => {
      for (const from of ['phone', 'elsewhere']) {
        for (const count of [0, 1, 2, 3, 4]) {
          const { world, tokens } = await inState(state, seconds);
          const before = world.store.dump();
          world.store.calls.splice(0);
          const verified = await refusalOf(world.verify(tokens[count]!, from));
          expect(world.store.dump()).toBe(before);
          expect(world.store.calls).toEqual(['findSession', 'findUser']);
          const refreshed = await refusalOf(world.refresh(tokens[count]!, from));
          expect({ from, count, refreshed }).toEqual({ from, count, refreshed: verified });
        }
      }
    },
  );

  test('that was used by somebody else is refused, and the session lives on', async () => {
    const { world, tokens } = await inState(STATES['adopted']!, 100);
    expect(await refusalOf(world.verify(tokens[0]!))).toBe('token-reused');
    expect(await refusalOf(world.verify(tokens[3]!))).toBe('accepted');
  });

  test('is good until the second before its end', async () => {
    const { world, tokens } = await inState({}, LIFETIMES.idle - 1);
    expect(await refusalOf(world.verify(tokens[0]!))).toBe('accepted');
    world.clock.advance(1);
    expect(await refusalOf(world.verify(tokens[0]!))).toBe('token-expired');
  });
});

describe('an access token', () => {
  const loggedIn = async () => {
    const world = newWorld();
    const account = await world.account();
    return { world, account, ...(await world.login(account)) };
  };

  test('is good until the second before its end, and nothing is written', async () => {
    const { world, access } = await loggedIn();
    const before = world.store.dump();
    world.clock.advance(LIFETIMES.access - 1);
    expect(await refusalOf(world.verify(access))).toBe('accepted');
    world.clock.advance(1);
    expect(await refusalOf(world.verify(access))).toBe('token-expired');
    expect(world.store.dump()).toBe(before);
  });

  test('stays good when its session is refreshed, from any client', async () => {
    const { world, access, refresh } = await loggedIn();
    world.clock.advance(100);
    await world.refresh(refresh);
    expect(await refusalOf(world.verify(access, 'elsewhere'))).toBe('accepted');
  });

  test.each<[string, (given: Awaited<ReturnType<typeof loggedIn>>) => Promise<unknown>]>([
    ['session-revoked', ({ world, refresh }) => world.blacklist(refresh)],
    ['account-disabled', ({ world, account }) => world.store.setUser({ ...account.user, status: 'disabled' })],
    ['session-superseded', ({ world, account }) => world.setPassword(account, 'new password')],
  ])('%s is refused at once', async (reason, end) => {
    const given = await loggedIn();
    await end(given);
    expect(await refusalOf(given.world.verify(given.access))).toBe(reason);
  });

  test('of a session that the store does not have is refused', async () => {
    const { access, account } = await loggedIn();
    const elsewhere = newWorld();
    await elsewhere.store.setUser(account.user);
    expect(await refusalOf(elsewhere.verify(access))).toBe('unknown-session');
  });
});

test('a forgery of either kind asks the store nothing', async () => {
  const world = newWorld();
  const { access, refresh } = await world.login(await world.account());
  world.store.calls.splice(0);
  const forged = [access, refresh].map((token) => token.replace(/[^.]+$/, Buffer.alloc(64, 7).toString('base64url')));
  for (const token of [...forged, 'x', 'a.b.c', '']) {
    expect(await refusalOf(world.verify(token))).toMatch(/^token-(forged|malformed|wrong-type)$/);
  }
  expect(world.store.calls).toEqual([]);
});

test('a user that is gone is refused', async () => {
  const { world, tokens } = await inState({}, 0);
  const elsewhere = newWorld();
  const sub = decodeJwt<{ sub: Session['userId']; sid: SessionId }>(tokens[0]!);
  await elsewhere.store.setSession((await world.store.findSession(sub.sub, sub.sid))!);
  expect(await refusalOf(elsewhere.verify(tokens[0]!))).toBe('account-gone');
});
