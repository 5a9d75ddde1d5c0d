import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { waitAfter } from '../../functions/shared/domain/attempts.ts';
import type { SessionId, UserId } from '../../functions/shared/domain/ids.ts';
import { after, type UnixSeconds } from '../../functions/shared/domain/time.ts';
import type { Login, User } from '../../functions/shared/domain/user.ts';
import { aLogin, aSession, aUser } from './builders.ts';
import { START } from './clock.ts';
import { sessionsContract } from './sessions-contract.ts';
import type { TestStore } from './store.ts';

const someUser = () => aUser({ id: randomUUID() as UserId });

/** What every store must do, the one in memory and the one on tables, or tests on the first would prove nothing. */
export function storeContract(store: () => TestStore): void {
  describe('users', () => {
    test('are found by id, and nobody where there is none', async () => {
      const full = {
        ...someUser(),
        displayName: 'Ada L.',
        email: 'ada@example.com',
        emailVerified: true as const,
        pendingEmail: 'lovelace@example.com',
        roles: ['admin', 'ops'],
        epoch: 3,
      };
      const bare = someUser();
      await store().setUser(full);
      await store().setUser(bare);
      expect(await store().findUser(full.id)).toEqual(full);
      expect(await store().findUser(bare.id)).toEqual(bare);
      expect(await store().findUser(randomUUID() as UserId)).toBeUndefined();
    });

    test('an epoch goes up by one each time, and never makes a user', async () => {
      const user = { ...someUser(), epoch: 7 };
      await store().setUser(user);
      await Promise.all([store().raiseEpoch(user.id), store().raiseEpoch(user.id)]);
      expect(await store().findUser(user.id)).toEqual({ ...user, epoch: 9 });
      const nobody = randomUUID() as UserId;
      await store().raiseEpoch(nobody);
      expect(await store().findUser(nobody)).toBeUndefined();
    });
  });

  describe('logins', () => {
    test('are found by name, and none where there is none', async () => {
      const name = randomUUID();
      await store().setLogin(name, aLogin({ passwordHash: 'hash', passwordVersion: 4 }));
      expect(await store().findLogin(name)).toEqual(aLogin({ passwordHash: 'hash', passwordVersion: 4 }));
      expect(await store().findLogin(randomUUID())).toBeUndefined();
    });

    test('a hash is replaced where it is still the one that was read', async () => {
      const name = randomUUID();
      await store().setLogin(name, aLogin({ passwordHash: 'old' }));
      await store().replaceHash(name, aLogin({ passwordHash: 'old' }), 'new');
      expect(await store().findLogin(name)).toEqual(aLogin({ passwordHash: 'new' }));
    });

    test.each([
      ['another hash', aLogin({ passwordHash: 'changed' })],
      ['another version', aLogin({ passwordHash: 'old', passwordVersion: 2 })],
    ])('a hash is not replaced where %s stands there by now', async (_, standing) => {
      const name = randomUUID();
      await store().setLogin(name, standing);
      await store().replaceHash(name, aLogin({ passwordHash: 'old' }), 'new');
      expect(await store().findLogin(name)).toEqual(standing);
    });

    test('replacing the hash of a login that is gone does not make it again', async () => {
      const name = randomUUID();
      await store().replaceHash(name, aLogin(), 'new');
      expect(await store().findLogin(name)).toBeUndefined();
    });
  });

  describe('attempts', () => {
    const mayTry = async (name: string, now: UnixSeconds) => (await store().countAttempt(name, now)).mayTry;

    test('five are free, then the wait doubles up to 900 s; one too early does not count', async () => {
      const name = randomUUID();
      let now = START;
      for (let failures = 0; failures < 18; failures += 1) {
        const wait = waitAfter(failures);
        const soFar = `after ${failures}`;
        if (wait > 0) {
          expect([soFar, await store().countAttempt(name, now)]).toEqual([soFar, { mayTry: false, wait }]);
          now = after(now, wait - 1);
          expect([soFar, await store().countAttempt(name, now)]).toEqual([soFar, { mayTry: false, wait: 1 }]);
          now = after(now, 1);
        }
        const counted = { mayTry: true, failures: failures + 1 };
        expect([wait, await store().countAttempt(name, now)]).toEqual([wait, counted]);
      }
      expect([5, 6, 7, 14, 15, 17].map(waitAfter)).toEqual([1, 2, 4, 512, 900, 900]);
    });

    test('a success forgets them, and forgetting what is not there is no error', async () => {
      const name = randomUUID();
      for (let free = 0; free < 5; free += 1) await store().countAttempt(name, START);
      expect(await mayTry(name, START)).toBe(false);
      await store().clearAttempts(name);
      await store().clearAttempts(name);
      for (let free = 0; free < 5; free += 1) expect(await mayTry(name, START)).toBe(true);
      expect(await mayTry(name, START)).toBe(false);
    });

    test('are counted for each name by itself', async () => {
      const name = randomUUID();
      for (let free = 0; free < 6; free += 1) await store().countAttempt(name, START);
      expect(await mayTry(randomUUID(), START)).toBe(true);
    });

    test('a clock that stepped back leaves the free ones free and the others waiting', async () => {
      const name = randomUUID();
      const before = after(START, -3_600);
      expect(await mayTry(name, START)).toBe(true);
      for (let free = 1; free < 5; free += 1) expect(await mayTry(name, before)).toBe(true);
      await store().clearAttempts(name);
      for (let free = 0; free < 5; free += 1) await store().countAttempt(name, START);
      expect(await mayTry(name, before)).toBe(false);
    });

    test('of 50 parallel ones where one is left, exactly one counts', async () => {
      const name = randomUUID();
      for (let free = 0; free < 4; free += 1) await store().countAttempt(name, START);
      const tries = Array.from({ length: 50 }, () => mayTry(name, START));
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    });

    test('of 50 parallel ones when a wait is over, exactly one counts', async () => {
      const name = randomUUID();
      for (let free = 0; free < 5; free += 1) await store().countAttempt(name, START);
      const tries = Array.from({ length: 50 }, () => mayTry(name, after(START, 1)));
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    });
  });

  describe('changing a profile', () => {
    test('sets what has a value, takes away what is null, and leaves the rest', async () => {
      const user = { ...someUser(), displayName: 'Ada', email: 'ada@example.com', roles: ['ops'], epoch: 2 };
      await store().setUser(user);
      const { displayName, email, ...nameless } = { ...user, pendingEmail: 'lovelace@example.com' };
      expect([displayName, email]).toEqual(['Ada', 'ada@example.com']);
      const change = { displayName: null, email: null, pendingEmail: 'lovelace@example.com' };
      const changed = await store().changeProfile(user, change);
      expect(changed).toEqual(nameless);
      expect(await store().findUser(user.id)).toEqual(nameless);
      expect(await store().changeProfile(nameless, { displayName: 'Countess' })).toEqual({
        ...nameless,
        displayName: 'Countess',
      });
    });

    test.each<[string, Partial<User>]>([
      ['was disabled', { status: 'disabled' }],
      ['logged out everywhere', { epoch: 1 }],
    ])('does nothing for a user who %s since', async (_, meanwhile) => {
      const read = someUser();
      await store().setUser({ ...read, ...meanwhile });
      expect(await store().changeProfile(read, { displayName: 'Ada' })).toBeUndefined();
      expect(await store().findUser(read.id)).toEqual({ ...read, ...meanwhile });
    });

    test('makes no user who is gone', async () => {
      const read = someUser();
      expect(await store().changeProfile(read, { displayName: 'Ada' })).toBeUndefined();
      expect(await store().findUser(read.id)).toBeUndefined();
    });
  });

  describe('changing a password', () => {
    const given = async () => {
      const name = randomUUID();
      const user = { ...someUser(), epoch: 4, passwordVersion: 2 };
      const login = aLogin({ userId: user.id, passwordHash: 'old', passwordVersion: 2 });
      await store().setUser(user);
      await store().setLogin(name, login);
      const sessionId = randomUUID() as SessionId;
      const session = aSession({ userId: user.id, sessionId, epoch: 5 });
      return { name, user, login, session, hash: 'new' };
    };

    test('moves hash, versions and epoch and begins one session, together', async () => {
      const change = await given();
      const { name, user, login, session } = change;
      expect(await store().changePassword(change)).toBe(true);
      expect(await store().findLogin(name)).toEqual({ ...login, passwordHash: 'new', passwordVersion: 3 });
      expect(await store().findUser(user.id)).toEqual({ ...user, epoch: 5, passwordVersion: 3 });
      expect(await store().findSession(user.id, session.sessionId)).toEqual(session);
    });

    test.each<[string, Partial<User>, Partial<Login>]>([
      ['a raised epoch', { epoch: 5 }, {}],
      ['a disabled user', { status: 'disabled' }, {}],
      ['another password', { passwordVersion: 3, epoch: 5 }, { passwordVersion: 3, passwordHash: 'another' }],
      ['a password that is half changed', {}, { passwordVersion: 3 }],
      ['a login that leads to somebody else', {}, { userId: aUser().id }],
    ])('does nothing at all where it meets %s', async (_, userNow, loginNow) => {
      const change = await given();
      const standing = { user: { ...change.user, ...userNow }, login: { ...change.login, ...loginNow } };
      await store().setUser(standing.user);
      await store().setLogin(change.name, standing.login);
      expect(await store().changePassword(change)).toBe(false);
      expect(await store().findUser(change.user.id)).toEqual(standing.user);
      expect(await store().findLogin(change.name)).toEqual(standing.login);
      expect(await store().findSession(change.user.id, change.session.sessionId)).toBeUndefined();
    });

    test('of a hash that was made anew meanwhile is no obstacle, as it is of the same password', async () => {
      const change = await given();
      await store().replaceHash(change.name, change.login, 'rehashed');
      expect(await store().changePassword(change)).toBe(true);
      expect((await store().findLogin(change.name))?.passwordHash).toBe('new');
    });

    test('of 8 at once goes through once', async () => {
      const change = await given();
      const others = Array.from({ length: 8 }, () => ({
        ...change,
        session: { ...change.session, sessionId: randomUUID() as SessionId },
      }));
      const done = await Promise.all(others.map((each) => store().changePassword(each)));
      expect(done.filter(Boolean)).toHaveLength(1);
      expect((await store().findUser(change.user.id))?.epoch).toBe(5);
    });
  });

  sessionsContract(store);
}
