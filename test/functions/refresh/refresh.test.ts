import { beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { RefreshNeeds } from '../../../functions/refresh/refresh.ts';
import type { SessionId } from '../../../functions/shared/domain/ids.ts';
import type { Session } from '../../../functions/shared/domain/session.ts';
import { after } from '../../../functions/shared/domain/time.ts';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import { counter } from '../../support/builders.ts';
import { START } from '../../support/clock.ts';
import { LIFETIMES, newWorld, refusalOf, unreachable, type Account, type World } from '../../support/world.ts';

let world: World;
let account: Account;
/** What the login gave. */
let first: TokenPair;

beforeEach(async () => {
  world = newWorld();
  account = await world.account();
  first = await world.login(account);
});

const counterOf = ({ refresh }: TokenPair): unknown => decodeJwt(refresh)['counter'];
const sessionOf = async (pair: TokenPair): Promise<Session> => {
  const session = await world.store.findSession(account.user.id, decodeJwt<{ sid: SessionId }>(pair.refresh).sid);
  return session!;
};
/** A rotation some time after the last one. */
const rotated = (pair: TokenPair): Promise<TokenPair> => {
  world.clock.advance(100);
  return world.refresh(pair.refresh);
};

describe('a refresh', () => {
  test('gives a new pair of the same session, with the user’s roles of now', async () => {
    await world.store.setUser({ ...account.user, roles: ['admin'] });
    const second = await rotated(first);
    expect(counterOf(second)).toBe(1);
    const { iat, exp, sid, roles, jti } = decodeJwt(second.access);
    const before = decodeJwt(first.access);
    expect({ iat, exp, sid, roles }).toEqual({
      iat: START + 100,
      exp: START + 100 + LIFETIMES.access,
      sid: before['sid'],
      roles: ['admin'],
    });
    expect(jti).not.toBe(before.jti);
  });

  test('asks the store for the session and the user once each', async () => {
    world.store.calls.splice(0);
    await rotated(first);
    expect(world.store.calls).toEqual(['rotateUnread', 'findUser']);
  });

  test('makes the session live on from now', async () => {
    const second = await rotated(first);
    expect(decodeJwt(second.refresh).exp).toBe(START + 100 + LIFETIMES.idle);
    expect((await sessionOf(second)).expiresAt).toBe(START + 100 + LIFETIMES.idle);
  });

  test('that is repeated within 30 s gives the same refresh token, byte for byte', async () => {
    const second = await rotated(first);
    const other = 'tablet';
    for (const [seconds, token, from] of [
      [0, first, 'phone'],
      [29, first, 'phone'],
      [0, second, other],
    ] as const) {
      world.clock.advance(seconds);
      expect((await world.refresh(token.refresh, from)).refresh).toBe(second.refresh);
    }
    expect(world.noted).toEqual([]);
  });

  test('always with the first token, by a client that keeps no other, goes on until that token ends', async () => {
    for (let day = 1; day < 30; day += 1) {
      world.clock.advance(86_400);
      expect(counterOf(await world.refresh(first.refresh))).toBe(day);
    }
    world.clock.advance(86_400);
    expect(await refusalOf(world.refresh(first.refresh))).toBe('token-expired');
    expect(new Set(world.noted)).toEqual(new Set(['fork']));
  });

  test('whose answer got lost is recovered however late, by a fork that is noted', async () => {
    await rotated(first);
    world.clock.advance(20 * 86_400);
    const recovered = await world.refresh(first.refresh);
    expect(counterOf(recovered)).toBe(2);
    expect(world.noted).toEqual(['fork']);
    await expect(rotated(recovered)).resolves.toHaveProperty('access');
  });

  test('from another device with the parent within 30 s leaves both successors alive until one is used', async () => {
    const second = await rotated(first);
    const sibling = await world.refresh(first.refresh, 'tablet');
    expect([counterOf(second), counterOf(sibling)]).toEqual([1, 2]);
    const third = await rotated(second);
    expect(counterOf(third)).toBe(3);
    world.clock.advance(30);
    expect(await refusalOf(world.refresh(sibling.refresh))).toBe('token-reused');
  });

  test('with a counter that is not there yet adopts it, and notes that', async () => {
    const before = await sessionOf(first);
    const second = await rotated(await rotated(first));
    await world.store.setSession(before);
    const adopted = await world.refresh(second.refresh);
    expect(counterOf(adopted)).toBe(3);
    expect(world.noted).toEqual(['adopt']);
  });
});

describe('the ends of a session', () => {
  test('idle: the second before it refreshes, the second itself is too late', async () => {
    world.clock.set(after(START, LIFETIMES.idle - 1));
    const last = await world.refresh(first.refresh);
    world.clock.set(after(START, 2 * LIFETIMES.idle - 1));
    expect(await refusalOf(world.refresh(last.refresh))).toBe('token-expired');
  });

  test('idle, shorter in the store than in the token: the store decides', async () => {
    await world.store.setSession({ ...(await sessionOf(first)), expiresAt: after(START, 50) });
    world.clock.set(after(START, 50));
    expect(await refusalOf(world.refresh(first.refresh))).toBe('session-expired');
  });

  test('absolute: no session and no token outlives it, however often it is refreshed', async () => {
    const end = after(START, LIFETIMES.absolute);
    let pair = first;
    for (let now = START; now < end; now = after(now, LIFETIMES.idle / 2)) {
      world.clock.set(now);
      pair = await world.refresh(pair.refresh);
      expect(decodeJwt(pair.access).exp).toBeLessThanOrEqual(end);
      expect(decodeJwt(pair.refresh).exp).toBeLessThanOrEqual(end);
    }
    world.clock.set(after(end, -1));
    pair = await world.refresh(pair.refresh);
    expect([decodeJwt(pair.access).exp, decodeJwt(pair.refresh).exp]).toEqual([end, end]);
    world.clock.set(end);
    expect(await refusalOf(world.refresh(pair.refresh))).toBe('token-expired');
    expect(await refusalOf(world.verify(pair.access))).toBe('token-expired');
  });
});

describe('a refusal', () => {
  test('of a forgery asks the store nothing', async () => {
    world.store.calls.splice(0);
    const [header, payload] = first.refresh.split('.');
    const forged = `${header}.${payload}.${Buffer.alloc(32).toString('base64url')}`;
    for (const token of [forged, 'x', '', first.access]) {
      expect(await refusalOf(world.refresh(token))).toMatch(/^token-(forged|malformed|wrong-type)$/);
    }
    expect(world.store.calls).toEqual([]);
  });

  const ends: [string, (session: Session) => Promise<unknown>][] = [
    ['session-revoked', (session) => world.store.revokeSession(session, START)],
    ['account-disabled', () => world.store.setUser({ ...account.user, status: 'disabled' })],
    ['session-superseded', () => world.store.raiseEpoch(account.user.id)],
    ['session-expired', (session) => world.store.setSession({ ...session, maxExpiresAt: START })],
  ];

  test.each(ends)('%s gives no tokens, at once, whatever the counter', async (reason, end) => {
    const second = await rotated(first);
    await end(await sessionOf(second));
    expect(await refusalOf(world.refresh(first.refresh))).toBe(reason);
    expect(await refusalOf(world.refresh(second.refresh))).toBe(reason);
    world.clock.advance(100);
    expect(await refusalOf(world.refresh(second.refresh))).toBe(reason);
  });

  test('of a session that is not there, or whose user is gone', async () => {
    const gone: Partial<RefreshNeeds> = { findUser: () => Promise.resolve(undefined) };
    expect(await refusalOf(world.refresh(first.refresh, 'phone', gone))).toBe('account-gone');
    const elsewhere = newWorld();
    await elsewhere.store.setUser(account.user);
    expect(await refusalOf(elsewhere.refresh(first.refresh))).toBe('unknown-session');
    expect(await elsewhere.store.findSession(account.user.id, (await sessionOf(first)).sessionId)).toBeUndefined();
  });
});

describe('a theft', () => {
  /** The first token after its successor was used: neither live nor the parent. */
  const stolen = async () => {
    const second = await rotated(first);
    const third = await rotated(second);
    return { token: first.refresh, third };
  };

  test('ends the session for both, and is noted', async () => {
    const { token, third } = await stolen();
    expect(await refusalOf(world.refresh(token, 'thief'))).toBe('token-reused');
    expect(world.noted).toEqual(['theft']);
    expect(await refusalOf(world.refresh(third.refresh))).toBe('session-revoked');
    expect(await refusalOf(world.refresh(token))).toBe('session-revoked');
    expect(world.noted).toEqual(['theft']);
  });

  test('by a thief who comes between a victim’s rotations is found when the victim refreshes', async () => {
    const second = await rotated(first);
    await rotated(second);
    world.clock.advance(100);
    const thiefs = await world.refresh(second.refresh, 'thief');
    expect(counterOf(thiefs)).toBe(3);
    await rotated(thiefs);
    expect(await refusalOf(rotated(second))).toBe('token-reused');
  });

  test('that cannot be written is an outage, not a refusal, and the retry ends the session', async () => {
    const { token, third } = await stolen();
    expect(await refusalOf(world.refresh(token, 'thief', { revokeSession: unreachable }))).toBe('outage');
    expect(world.noted).toEqual([]);
    expect(await refusalOf(world.refresh(token, 'thief'))).toBe('token-reused');
    expect(await refusalOf(world.refresh(third.refresh))).toBe('session-revoked');
  });

  test('of a session whose user is disabled is refused for that, and revokes nothing', async () => {
    const { token } = await stolen();
    await world.store.setUser({ ...account.user, status: 'disabled' });
    expect(await refusalOf(world.refresh(token))).toBe('account-disabled');
    expect((await sessionOf(first)).revokedAt).toBeUndefined();
  });
});

describe('a store that fails', () => {
  test('to read the user after the rotation: an outage, and the retry gets the successor', async () => {
    world.clock.advance(100);
    expect(await refusalOf(world.refresh(first.refresh, 'phone', { findUser: unreachable }))).toBe('outage');
    expect((await sessionOf(first)).current).toBe(1);
    expect(counterOf(await world.refresh(first.refresh))).toBe(1);
  });

  test('so, and the retry comes late: the successor is made again as a fork', async () => {
    world.clock.advance(100);
    await refusalOf(world.refresh(first.refresh, 'phone', { findUser: unreachable }));
    world.clock.advance(3_600);
    expect(counterOf(await world.refresh(first.refresh))).toBe(2);
  });

  test.each(['rotateUnread', 'findUser'] as const)('in %s gives no tokens', async (name) => {
    expect(await refusalOf(world.refresh(first.refresh, 'phone', { [name]: unreachable }))).toBe('outage');
  });

  test('in changeSession gives no tokens and notes nothing', async () => {
    await rotated(first);
    world.clock.advance(100);
    expect(await refusalOf(world.refresh(first.refresh, 'phone', { changeSession: unreachable }))).toBe('outage');
    expect(world.noted).toEqual([]);
  });
});

describe('a lost race', () => {
  test('of two first refreshes gives the loser the winner’s successor', async () => {
    world.clock.advance(100);
    const pairs = await Promise.all(Array.from({ length: 10 }, () => world.refresh(first.refresh)));
    expect(new Set(pairs.map(({ refresh }) => refresh)).size).toBe(1);
    expect(pairs.map(counterOf)).toEqual(Array.from({ length: 10 }, () => 1));
  });

  /** A store in which somebody else changes the session before each of the first `times` forks. */
  const interfering = (times: number) => {
    let judged = 0;
    const changeSession: RefreshNeeds['changeSession'] = async (read, change) => {
      judged += 1;
      if (judged <= times) await world.store.setSession({ ...read, current: counter(read.current + 1) });
      return world.store.changeSession(read, change);
    };
    return { needs: { changeSession }, judged: () => judged };
  };

  test.each([1, 2])('%i times over is judged again from what stands there', async (times) => {
    await rotated(first);
    world.clock.advance(100);
    const { needs, judged } = interfering(times);
    expect(counterOf(await world.refresh(first.refresh, 'phone', needs))).toBe(2 + times);
    expect(judged()).toBe(times + 1);
    expect(world.noted).toEqual(['fork']);
  });

  test('three times over is an outage', async () => {
    await rotated(first);
    world.clock.advance(100);
    const { needs, judged } = interfering(3);
    expect(await refusalOf(world.refresh(first.refresh, 'phone', needs))).toBe('outage');
    expect(judged()).toBe(3);
    expect(world.noted).toEqual([]);
  });

  test('against a log out refuses', async () => {
    await rotated(first);
    world.clock.advance(100);
    const changeSession: RefreshNeeds['changeSession'] = async (read, change) => {
      await world.store.revokeSession(read, world.clock.now());
      return world.store.changeSession(read, change);
    };
    expect(await refusalOf(world.refresh(first.refresh, 'phone', { changeSession }))).toBe('session-revoked');
  });

  test('against the garbage collector refuses, and makes no session', async () => {
    const rotateUnread: RefreshNeeds['rotateUnread'] = () => Promise.resolve({ done: false, found: undefined });
    expect(await refusalOf(world.refresh(first.refresh, 'phone', { rotateUnread }))).toBe('unknown-session');
  });
});
