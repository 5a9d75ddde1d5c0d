import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { waitAfter } from '../../functions/shared/domain/attempts.ts';
import type { UserId } from '../../functions/shared/domain/ids.ts';
import { after } from '../../functions/shared/domain/time.ts';
import { aLogin, aUser } from './builders.ts';
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
    test('five are free, then the wait doubles up to 900 s; one too early does not count', async () => {
      const name = randomUUID();
      let now = START;
      for (let failures = 0; failures < 18; failures += 1) {
        const wait = waitAfter(failures);
        const soFar = `after ${failures}`;
        if (wait > 0) {
          expect([soFar, await store().countAttempt(name, now)]).toEqual([soFar, false]);
          now = after(now, wait - 1);
          expect([soFar, await store().countAttempt(name, now)]).toEqual([soFar, false]);
          now = after(now, 1);
        }
        expect([soFar, wait, await store().countAttempt(name, now)]).toEqual([soFar, wait, true]);
      }
      expect([5, 6, 7, 14, 15, 17].map(waitAfter)).toEqual([1, 2, 4, 512, 900, 900]);
    });

    test('a success forgets them, and forgetting what is not there is no error', async () => {
      const name = randomUUID();
      for (let free = 0; free < 5; free += 1) await store().countAttempt(name, START);
      expect(await store().countAttempt(name, START)).toBe(false);
      await store().clearAttempts(name);
      await store().clearAttempts(name);
      for (let free = 0; free < 5; free += 1) expect(await store().countAttempt(name, START)).toBe(true);
      expect(await store().countAttempt(name, START)).toBe(false);
    });

    test('are counted for each name by itself', async () => {
      const name = randomUUID();
      for (let free = 0; free < 6; free += 1) await store().countAttempt(name, START);
      expect(await store().countAttempt(randomUUID(), START)).toBe(true);
    });

    test('a clock that stepped back leaves the free ones free and the others waiting', async () => {
      const name = randomUUID();
      const before = after(START, -3_600);
      expect(await store().countAttempt(name, START)).toBe(true);
      for (let free = 1; free < 5; free += 1) expect(await store().countAttempt(name, before)).toBe(true);
      await store().clearAttempts(name);
      for (let free = 0; free < 5; free += 1) await store().countAttempt(name, START);
      expect(await store().countAttempt(name, before)).toBe(false);
    });

    test('of 50 parallel ones where one is left, exactly one counts', async () => {
      const name = randomUUID();
      for (let free = 0; free < 4; free += 1) await store().countAttempt(name, START);
      const tries = Array.from({ length: 50 }, () => store().countAttempt(name, START));
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    });

    test('of 50 parallel ones when a wait is over, exactly one counts', async () => {
      const name = randomUUID();
      for (let free = 0; free < 5; free += 1) await store().countAttempt(name, START);
      const tries = Array.from({ length: 50 }, () => store().countAttempt(name, after(START, 1)));
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    });
  });

  sessionsContract(store);
}
