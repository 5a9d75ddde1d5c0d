import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { decodeJwt } from 'jose';
import type { LoginNeeds } from '../../../functions/login/login.ts';
import type { SessionId, UserId } from '../../../functions/shared/domain/ids.ts';
import { after } from '../../../functions/shared/domain/time.ts';
import { START } from '../../support/clock.ts';
import { COST, LIFETIMES, newWorld, refusalOf, unreachable, type World } from '../../support/world.ts';

let world: World;
/** Every computation of a hash there is goes through these two. */
let compare: jest.Spied<typeof bcrypt.compare>;
let hash: jest.Spied<typeof bcrypt.hash>;

beforeEach(() => {
  world = newWorld();
  compare = jest.spyOn(bcrypt, 'compare');
  hash = jest.spyOn(bcrypt, 'hash');
});
afterEach(() => void jest.restoreAllMocks());

/** How many hashes an act computed, and what it asked of the store. */
async function costOf(act: () => Promise<unknown>): Promise<{ hashes: number; calls: string[] }> {
  compare.mockClear();
  hash.mockClear();
  world.store.calls.splice(0);
  await refusalOf(act());
  return { hashes: compare.mock.calls.length + hash.mock.calls.length, calls: [...world.store.calls] };
}

const wrong = { password: 'incorrect horse battery' };

describe('a login with the right password', () => {
  test('stores the session its tokens name', async () => {
    const account = await world.account({ epoch: 3, roles: ['admin'] });
    const { access, refresh } = await world.login(account);
    const claims = decodeJwt<{ sid: SessionId }>(access);
    expect(claims).toMatchObject({ sub: account.user.id, roles: ['admin'], iat: START, exp: START + LIFETIMES.access });
    expect(decodeJwt(refresh)).toMatchObject({ sub: account.user.id, sid: claims.sid, counter: 0, iat: START });
    expect(await world.store.findSession(account.user.id, claims.sid)).toEqual({
      userId: account.user.id,
      sessionId: claims.sid,
      current: 0,
      base: -1,
      client: 'phone',
      epoch: 3,
      createdAt: START,
      expiresAt: after(START, LIFETIMES.idle),
      maxExpiresAt: after(START, LIFETIMES.absolute),
      device: { address: '203.0.113.7', userAgent: 'test/1' },
    });
  });

  test('takes the name in any case of letters', async () => {
    const { password } = await world.account({ username: 'Ada.Lovelace' });
    for (const username of ['Ada.Lovelace', 'ada.lovelace', 'ADA.LOVELACE']) {
      await expect(world.login({ username, password })).resolves.toHaveProperty('access');
    }
  });

  test('makes another session each time', async () => {
    const account = await world.account();
    const [one, other] = [await world.login(account), await world.login(account)];
    expect(decodeJwt(one.access)['sid']).not.toBe(decodeJwt(other.access)['sid']);
    expect(decodeJwt(one.access).jti).not.toBe(decodeJwt(other.access).jti);
  });

  test('costs one hash and six calls', async () => {
    const account = await world.account();
    expect(await costOf(() => world.login(account))).toEqual({
      hashes: 1,
      calls: ['countAttempt', 'findLogin', 'findUser', 'listSessions', 'clearAttempts', 'putSession'],
    });
  });

  test('gives tokens that end with the session where that is sooner', async () => {
    const account = await world.account();
    const lifetimes = { idle: 60, absolute: 40 };
    const { access, refresh } = await world.login(account, { lifetimes });
    expect([decodeJwt(access).exp, decodeJwt(refresh).exp]).toEqual([START + 40, START + 40]);
  });
});

describe('a refused login', () => {
  type Given = (world: World) => Promise<Parameters<World['login']>[0]>;
  const lock = async (name: string) => {
    for (let free = 0; free < 5; free += 1) await world.store.countAttempt(name, START);
  };
  const refusals: [string, string, Given][] = [
    ['a name nobody has', 'unknown-user', () => Promise.resolve({ username: 'nobody', ...wrong })],
    ['a text that can be no name', 'unknown-user', () => Promise.resolve({ username: 'ⅷ or so', ...wrong })],
    ['a wrong password', 'wrong-password', async (here) => ({ ...(await here.account()), ...wrong })],
    ['a disabled account', 'user-disabled', (here) => here.account({ status: 'disabled' })],
    [
      'a wrong password of a disabled account',
      'wrong-password',
      async (here) => ({ ...(await here.account({ status: 'disabled' })), ...wrong }),
    ],
    [
      'a login whose user is gone',
      'unknown-user',
      async (here) => {
        const account = await here.account();
        await here.store.setLogin('ada', { userId: 'gone' as UserId, passwordHash: 'x', passwordVersion: 1 });
        return account;
      },
    ],
    ['a locked account', 'too-many-attempts', (here) => lock('ada').then(() => here.account())],
    [
      'a locked name nobody has',
      'too-many-attempts',
      () => lock('nobody').then(() => ({ username: 'nobody', ...wrong })),
    ],
  ];

  test.each(refusals)('for %s costs one hash and the same four calls', async (_, reason, credentials) => {
    const given = await credentials(world);
    expect(await refusalOf(world.login(given))).toBe(reason);
    expect(await costOf(() => world.login(given))).toEqual({
      hashes: 1,
      calls: ['countAttempt', 'findLogin', 'findUser', 'listSessions'],
    });
    expect(compare.mock.calls[0]?.[1]).toMatch(new RegExp(`^\\$2b\\$0${COST}\\$.{53}$`));
  });

  test('with a stored text that is no hash of ours still costs one hash', async () => {
    const account = await world.account();
    await world.store.setLogin('ada', { userId: account.user.id, passwordHash: 'plain', passwordVersion: 1 });
    expect(await refusalOf(world.login(account))).toBe('wrong-password');
    expect((await costOf(() => world.login(account))).hashes).toBe(1);
  });
});

describe('failed attempts', () => {
  const failures = async (count: number, username = 'Ada') => {
    for (let failure = 0; failure < count; failure += 1) await refusalOf(world.login({ username, ...wrong }));
  };

  test('five wrong passwords are free, then even the right one waits, to the second', async () => {
    const account = await world.account();
    await failures(5);
    expect(await refusalOf(world.login(account))).toBe('too-many-attempts');
    world.clock.advance(1);
    expect(await refusalOf(world.login(account))).toBe('accepted');
  });

  test('the wait doubles, and an attempt that came too early makes it no longer', async () => {
    const account = await world.account();
    await failures(5);
    world.clock.advance(1);
    await failures(1);
    world.clock.advance(1);
    expect(await refusalOf(world.login(account))).toBe('too-many-attempts');
    world.clock.advance(1);
    expect(await refusalOf(world.login(account))).toBe('accepted');
  });

  test('a success forgets them', async () => {
    const account = await world.account();
    await failures(4);
    await world.login(account);
    await failures(4);
    expect(await refusalOf(world.login(account))).toBe('accepted');
  });

  test('a disabled account does not forget them for the right password', async () => {
    const account = await world.account({ status: 'disabled' });
    for (let failure = 0; failure < 5; failure += 1) {
      expect(await refusalOf(world.login(account))).toBe('user-disabled');
    }
    expect(await refusalOf(world.login(account))).toBe('too-many-attempts');
  });

  test('are counted alike for a name nobody has, in any spelling', async () => {
    await failures(3, 'nobody');
    await failures(2, 'NOBODY');
    expect(await refusalOf(world.login({ username: 'Nobody', ...wrong }))).toBe('too-many-attempts');
  });

  test('of 50 parallel guesses the right one among them, only five are compared', async () => {
    const account = await world.account();
    const guesses = Array.from({ length: 50 }, (_, at) => ({ ...account, ...(at !== 20 && wrong) }));
    const answers = await Promise.all(guesses.map((guess) => refusalOf(world.login(guess))));
    expect(answers.filter((answer) => answer === 'wrong-password')).toHaveLength(5);
    expect(answers.filter((answer) => answer === 'too-many-attempts')).toHaveLength(45);
  });
});

describe('a password that changes during a login', () => {
  /** Changes it after the login was read and before the user is, so many times. */
  const changing = (account: Parameters<World['setPassword']>[0], times: number): Partial<LoginNeeds> => ({
    findUser: async (id) => {
      times -= 1;
      if (times >= 0) await world.setPassword(account, `new password ${times}`);
      return world.store.findUser(id);
    },
  });

  test('is read again, and the old one does not pass', async () => {
    const account = await world.account();
    expect(await refusalOf(world.login(account, changing(account, 1)))).toBe('wrong-password');
    expect(world.store.calls).not.toContain('putSession');
  });

  test('is read again, and the new one passes', async () => {
    const account = await world.account();
    const pair = world.login({ ...account, password: 'new password 0' }, changing(account, 1));
    await expect(pair).resolves.toHaveProperty('access');
  });

  test('is read three times, then it is an outage', async () => {
    const account = await world.account();
    expect(await refusalOf(world.login(account, changing(account, 2)))).toBe('wrong-password');
    await world.store.clearAttempts('ada');
    expect(await refusalOf(world.login(account, changing(account, 3)))).toBe('outage');
  });

  test('an account that was deleted meanwhile is unknown', async () => {
    const account = await world.account();
    const findUser = () => Promise.resolve({ ...account.user, passwordVersion: 9 });
    const reads = [await world.store.findLogin('ada'), undefined];
    const deleted: Partial<LoginNeeds> = { findUser, findLogin: () => Promise.resolve(reads.shift()) };
    expect(await refusalOf(world.login(account, deleted))).toBe('unknown-user');
  });

  test('ends a session that was made just before', async () => {
    const account = await world.account();
    const putSession: LoginNeeds['putSession'] = async (session) => {
      await world.setPassword(account, 'new password');
      await world.store.putSession(session);
    };
    const { access, refresh } = await world.login(account, { putSession });
    expect(await refusalOf(world.refresh(refresh))).toBe('session-superseded');
    expect(await refusalOf(world.verify(access))).toBe('session-superseded');
  });
});

describe('a hash of another cost', () => {
  test('is made anew at the next login, and only then', async () => {
    const account = await world.account({}, COST + 1);
    const before = await world.store.findLogin('ada');
    await world.login(account);
    const rehashed = await world.store.findLogin('ada');
    expect(rehashed).toEqual({ ...before, passwordHash: rehashed?.passwordHash });
    expect(rehashed?.passwordHash).toContain(`$2b$0${COST}$`);
    expect(await costOf(() => world.login(account))).toMatchObject({ hashes: 1 });
    expect(await world.store.findLogin('ada')).toEqual(rehashed);
  });

  test('stays where the password was wrong', async () => {
    const account = await world.account({}, COST + 1);
    const before = await world.store.findLogin('ada');
    await refusalOf(world.login({ ...account, ...wrong }));
    expect(await world.store.findLogin('ada')).toEqual(before);
  });

  test('does not come back over a password that changed meanwhile', async () => {
    const account = await world.account({}, COST + 1);
    const replaceHash: LoginNeeds['replaceHash'] = async (...args) => {
      await world.setPassword(account, 'new password');
      await world.store.replaceHash(...args);
    };
    await world.login(account, { replaceHash });
    expect(await refusalOf(world.login(account))).toBe('wrong-password');
    expect(await refusalOf(world.login({ ...account, password: 'new password' }))).toBe('accepted');
  });

  test('that cannot be replaced does not fail the login', async () => {
    const account = await world.account({}, COST + 1);
    await expect(world.login(account, { replaceHash: unreachable })).resolves.toHaveProperty('access');
    expect(world.noted).toEqual(['password-not-rehashed']);
  });
});

describe('a store that fails', () => {
  test('to forget the attempts does not fail the login', async () => {
    const account = await world.account();
    await expect(world.login(account, { clearAttempts: unreachable })).resolves.toHaveProperty('access');
    expect(world.noted).toEqual(['attempts-not-cleared']);
  });

  test.each(['countAttempt', 'findLogin', 'findUser', 'putSession'] as const)('in %s gives no tokens', async (name) => {
    const account = await world.account();
    expect(await refusalOf(world.login(account, { [name]: unreachable }))).toBe('outage');
  });

  test('to count compares nothing', async () => {
    const account = await world.account();
    expect((await costOf(() => world.login(account, { countAttempt: unreachable }))).hashes).toBe(0);
  });
});

describe('the cap on sessions', () => {
  const sessionsOf = async ({ user }: { user: { id: UserId } }) =>
    (await world.store.listSessions(user.id, 100)).sessions.map(({ sessionId }) => sessionId);
  const sidOf = ({ access }: { access: string }) => decodeJwt(access)['sid'];

  test('ends the least recently used session with the login that is one too many', async () => {
    const account = await world.account();
    const pairs = [];
    for (let login = 0; login < 3; login += 1) {
      world.clock.advance(10);
      pairs.push(await world.login(account, { sessionsPerUser: 3 }));
    }
    world.clock.advance(60);
    await world.refresh(pairs[0]!.refresh);
    const fourth = await world.login(account, { sessionsPerUser: 3 });
    expect((await sessionsOf(account)).sort()).toEqual([pairs[0]!, pairs[2]!, fourth].map(sidOf).sort());
    expect(await refusalOf(world.refresh(pairs[1]!.refresh))).toBe('unknown-session');
    expect(world.events.filter(({ event }) => event === 'session-ended')).toEqual([
      { event: 'session-ended', userId: account.user.id, sessionId: sidOf(pairs[1]!), reason: 'surplus' },
    ]);
  });

  test('of one leaves only the newest login', async () => {
    const account = await world.account();
    for (let login = 0; login < 3; login += 1) await world.login(account, { sessionsPerUser: 1 });
    expect(await sessionsOf(account)).toHaveLength(1);
  });

  test('brings a user with far too many down login by login', async () => {
    const account = await world.account();
    for (let login = 0; login < 40; login += 1) await world.login(account);
    await world.login(account, { sessionsPerUser: 5 });
    expect((await sessionsOf(account)).length).toBe(15);
    await world.login(account, { sessionsPerUser: 5 });
    expect((await sessionsOf(account)).length).toBe(5);
  });

  test('fails no login where sessions cannot be read or ended', async () => {
    const account = await world.account();
    await world.login(account);
    const needs = { sessionsPerUser: 1, removeSession: unreachable };
    await expect(world.login(account, needs)).resolves.toHaveProperty('access');
    await expect(world.login(account, { listSessions: unreachable })).resolves.toHaveProperty('access');
    expect(world.noted).toEqual(['surplus-not-ended', 'sessions-not-counted']);
  });
});

describe('what is noted', () => {
  test('of a login is who and which session', async () => {
    const account = await world.account();
    const sessionId = decodeJwt((await world.login(account)).access)['sid'];
    expect(world.events).toEqual([{ event: 'login', userId: account.user.id, sessionId }]);
  });

  test('of a refused one is why, and who it would have been', async () => {
    const { username, user } = await world.account();
    await refusalOf(world.login({ username, ...wrong }));
    await refusalOf(world.login({ username: 'nobody', ...wrong }));
    await world.store.setUser({ ...user, status: 'disabled' });
    await refusalOf(world.login({ username, password: 'correct horse battery staple' }));
    expect(world.events).toEqual([
      { event: 'login-failed', userId: user.id, reason: 'wrong-password' },
      { event: 'login-failed', userId: undefined, reason: 'unknown-user' },
      { event: 'login-failed', userId: user.id, reason: 'user-disabled' },
    ]);
  });

  test('is a lock with the fifth failure, and with each that makes the wait longer', async () => {
    const { username } = await world.account();
    const fails = () => refusalOf(world.login({ username, ...wrong }));
    for (let free = 0; free < 4; free += 1) await fails();
    expect(world.noted).not.toContain('lock');
    await fails();
    await fails();
    expect(world.noted.filter((event) => event === 'lock')).toHaveLength(1);
    world.clock.advance(1);
    await fails();
    expect(world.noted.filter((event) => event === 'lock')).toHaveLength(2);
  });
});
