import { beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { SessionId, UserId } from '../../../functions/shared/domain/ids.ts';
import { Refusal } from '../../../functions/shared/domain/refusal.ts';
import type { Caller } from '../../../functions/shared/domain/standing.ts';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import { newWorld, refusalOf, unreachable, type Account, type World } from '../../support/world.ts';

const NEW = 'a horse of another colour';

let world: World;
let account: Account;
let pair: TokenPair;
let caller: Caller;

beforeEach(async () => {
  world = newWorld();
  account = await world.account();
  pair = await world.login(account);
  caller = callerOf(pair);
  world.events.splice(0);
});

function callerOf({ access }: TokenPair): Caller {
  const { sub, sid } = decodeJwt<{ sub: UserId; sid: SessionId }>(access);
  return { userId: sub, sessionId: sid };
}

const refusedWith = async (operation: Promise<unknown>) => {
  const error: unknown = await operation.then(
    () => 'accepted',
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refusal)) throw error;
  return error;
};

describe('a password change', () => {
  test('lets the new password in and the old one no more', async () => {
    await world.changePassword(caller, account.password, NEW);
    expect(await refusalOf(world.login(account))).toBe('wrong-password');
    await expect(world.login({ ...account, password: NEW })).resolves.toHaveProperty('access');
  });

  test('ends every session, the caller’s own too, and begins another', async () => {
    const other = await world.login(account);
    const fresh = await world.changePassword(caller, account.password, NEW);
    expect(callerOf(fresh).userId).toBe(caller.userId);
    expect([caller.sessionId, callerOf(other).sessionId]).not.toContain(callerOf(fresh).sessionId);
    for (const { access, refresh } of [pair, other]) {
      expect(await refusalOf(world.refresh(refresh))).toBe('session-superseded');
      expect(await refusalOf(world.verify(access))).toBe('session-superseded');
    }
    expect(await refusalOf(world.profile(caller))).toBe('bearer-refused');
    await expect(world.refresh(fresh.refresh)).resolves.toHaveProperty('access');
    await expect(world.verify(fresh.access)).resolves.toBeUndefined();
  });

  test('is noted once, under the session that it begins', async () => {
    const fresh = await world.changePassword(caller, account.password, NEW);
    expect(world.events).toEqual([{ event: 'password-changed', ...callerOf(fresh) }]);
  });

  test('may be a change to the same password', async () => {
    await expect(world.changePassword(caller, account.password, account.password)).resolves.toHaveProperty('access');
  });

  test('whose session has ended is refused before anything is counted or compared', async () => {
    await world.blacklist(pair.refresh);
    world.store.calls.splice(0);
    expect(await refusalOf(world.changePassword(caller, 'wrong', NEW))).toBe('bearer-refused');
    expect(world.store.calls.sort()).toEqual(['findSession', 'findUser']);
  });

  test('that would be too short is refused in words, and no guess is counted', async () => {
    world.store.calls.splice(0);
    const { reason, fields } = await refusedWith(world.changePassword(caller, 'wrong', 'short'));
    expect({ reason, fields }).toEqual({
      reason: 'invalid-fields',
      fields: { new_password: [expect.stringContaining('at least 15 characters')] },
    });
    expect(world.store.calls).not.toContain('countAttempt');
  });

  test('of a username that leads to somebody else by now is refused', async () => {
    await world.store.setLogin('ada', { userId: 'else' as UserId, passwordHash: 'x', passwordVersion: 1 });
    expect(await refusalOf(world.changePassword(caller, account.password, NEW))).toBe('bearer-refused');
  });
});

describe('a wrong current password', () => {
  const guess = (current = 'wrong') => world.changePassword(caller, current, NEW);

  test('is named as the field it is, and changes nothing', async () => {
    const { reason, fields } = await refusedWith(guess());
    expect({ reason, fields }).toEqual({
      reason: 'invalid-fields',
      fields: { current_password: ['Invalid password.'] },
    });
    await expect(world.refresh(pair.refresh)).resolves.toHaveProperty('access');
    await expect(world.login(account)).resolves.toHaveProperty('access');
    expect(world.events[0]).toEqual({ event: 'password-change-failed', ...caller, reason: 'wrong-password' });
  });

  test('five times is free, then the caller waits, and is told for how long', async () => {
    for (let free = 0; free < 5; free += 1) expect(await refusalOf(guess())).toBe('invalid-fields');
    expect(world.noted.filter((event) => event === 'lock')).toHaveLength(1);
    const { reason, retryAfter } = await refusedWith(guess(account.password));
    expect({ reason, retryAfter }).toEqual({ reason: 'too-many-guesses', retryAfter: 1 });
    world.clock.advance(1);
    expect(await refusalOf(guess())).toBe('invalid-fields');
    expect((await refusedWith(guess())).retryAfter).toBe(2);
    world.clock.advance(2);
    await expect(guess(account.password)).resolves.toHaveProperty('access');
  });

  test('is forgotten after a success', async () => {
    for (let free = 0; free < 4; free += 1) await refusalOf(guess());
    caller = callerOf(await guess(account.password));
    for (let free = 0; free < 5; free += 1) expect(await refusalOf(guess())).toBe('invalid-fields');
  });

  test('does not keep the user from logging in, nor the other way round', async () => {
    for (let free = 0; free < 6; free += 1) await refusalOf(guess());
    await expect(world.login(account)).resolves.toHaveProperty('access');
    for (let free = 0; free < 6; free += 1) await refusalOf(world.login({ ...account, password: 'wrong' }));
    world.clock.advance(2);
    await expect(guess(account.password)).resolves.toHaveProperty('access');
  });
});

describe('a change of the account meanwhile', () => {
  test('of the password ends this one with nothing done', async () => {
    const changePassword: World['needs']['changePassword'] = async (change) => {
      await world.setPassword(account, 'what an operator set');
      return world.store.changePassword(change);
    };
    expect(await refusalOf(world.changePassword(caller, account.password, NEW, { changePassword }))).toBe(
      'bearer-refused',
    );
    await expect(world.login({ ...account, password: 'what an operator set' })).resolves.toHaveProperty('access');
  });

  test.each([2, 3])('that only touched it lets try %i of 3 through or is an outage', async (lost) => {
    let tries = 0;
    const changePassword: World['needs']['changePassword'] = (change) => {
      tries += 1;
      return tries <= lost ? Promise.resolve(false) : world.store.changePassword(change);
    };
    const outcome = await refusalOf(world.changePassword(caller, account.password, NEW, { changePassword }));
    expect(outcome).toBe(lost < 3 ? 'accepted' : 'outage');
    expect(tries).toBe(3);
  });
});

describe('an outage', () => {
  test.each(['findSession', 'findUser', 'countAttempt', 'findLogin', 'changePassword', 'pair'] as const)(
    'of %s leaves the old password and the session as they were',
    async (name) => {
      const before = world.store.dump().replaceAll(/"failures":\d+/g, '');
      expect(await refusalOf(world.changePassword(caller, account.password, NEW, { [name]: unreachable }))).toBe(
        'outage',
      );
      await world.store.clearAttempts(`password ${caller.userId}`);
      expect(world.store.dump().replaceAll(/"failures":\d+/g, '')).toBe(before);
    },
  );

  test('of the counter after the change does not take the new session away', async () => {
    await expect(
      world.changePassword(caller, account.password, NEW, { clearAttempts: unreachable }),
    ).resolves.toHaveProperty('access');
    expect(world.noted).toContain('guesses-not-cleared');
  });
});
