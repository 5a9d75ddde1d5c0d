import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { waitAfter } from '../../../functions/shared/domain/attempts.ts';
import { after } from '../../../functions/shared/domain/time.ts';
import type { AddressAttempts } from '../../../functions/shared/store/address-attempts.ts';
import { START } from '../../support/clock.ts';
import { newWorld, refusalOf, unreachable, type Account, type World } from '../../support/world.ts';

const wrong = { password: 'not the password' };
const compare = jest.spyOn(bcrypt, 'compare');

let world: World;
let account: Account;

beforeEach(async () => {
  world = newWorld();
  account = await world.account();
  compare.mockClear();
});

describe('guessing at one name', () => {
  test('a thousand times in ten minutes compares no more than the rule allows', async () => {
    // What the rule allows: five at once, then one after each wait.
    let allowed = 0;
    for (let at = 0; at <= 600; at += waitAfter(allowed)) allowed += 1;
    const hashes: string[] = [];
    for (let guess = 0; guess < 1_000; guess += 1) {
      world.clock.set(after(START, Math.floor(guess * 0.6)));
      await refusalOf(world.login({ username: account.username, ...wrong }));
      hashes.push(String(compare.mock.calls.at(-1)?.[1]));
    }
    const stored = (await world.store.findLogin('ada'))!.passwordHash;
    const compared = hashes.filter((hash) => stored.endsWith(hash)).length;
    expect(compared).toBeGreaterThan(10);
    expect(compared).toBeLessThanOrEqual(allowed);
  });

  test('for an hour keeps no device out that has logged in before, and no session from being refreshed', async () => {
    const { refresh, device_token: deviceToken } = await world.login(account);
    for (let second = 0; second < 3_600; second += 4) {
      world.clock.set(after(START, second));
      await refusalOf(world.login({ username: account.username, ...wrong }));
    }
    expect(await refusalOf(world.login(account))).toBe('too-many-attempts');
    await expect(world.login({ ...account, deviceToken })).resolves.toHaveProperty('access');
    await expect(world.refresh(refresh)).resolves.toHaveProperty('access');
  });
});

describe('a device that has logged in before', () => {
  test('has five tries of its own, and what it uses up is not the name’s', async () => {
    const { device_token: deviceToken } = await world.login(account);
    const guess = () => refusalOf(world.login({ username: account.username, ...wrong, deviceToken }));
    for (let free = 0; free < 5; free += 1) expect(await guess()).toBe('wrong-password');
    expect(await guess()).toBe('too-many-attempts');
    expect(await refusalOf(world.login({ ...account, deviceToken }))).toBe('too-many-attempts');
    await expect(world.login(account)).resolves.toHaveProperty('access');
  });

  test('stays the same device login after login, with its tries given back', async () => {
    const first = await world.login(account);
    const guess = (deviceToken: string) =>
      refusalOf(world.login({ username: account.username, ...wrong, deviceToken }));
    for (let free = 0; free < 4; free += 1) await guess(first.device_token);
    world.clock.advance(86_400 * 100);
    const second = await world.login({ ...account, deviceToken: first.device_token });
    for (let free = 0; free < 4; free += 1) await guess(first.device_token);
    expect(await guess(second.device_token)).toBe('wrong-password');
    expect(await guess(first.device_token)).toBe('too-many-attempts');
  });

  test('is a stranger to every other name', async () => {
    const { device_token: deviceToken } = await world.login(account);
    for (let free = 0; free < 5; free += 1) await refusalOf(world.login({ username: 'bob', ...wrong, deviceToken }));
    expect(await refusalOf(world.login({ username: 'bob', ...wrong }))).toBe('too-many-attempts');
  });

  test('with a token that is none is a stranger, and hears nothing of it', async () => {
    await expect(world.login({ ...account, deviceToken: 'garbage' })).resolves.toHaveProperty('access');
    expect(await refusalOf(world.login({ username: 'bob', ...wrong, deviceToken: 'garbage' }))).toBe('unknown-user');
  });
});

describe('many names from one address', () => {
  let counted: number;
  let failures: AddressAttempts;

  beforeEach(() => {
    counted = 0;
    failures = {
      count: () => {
        if (counted >= 10) return Promise.resolve({ mayTry: false, wait: 42 });
        counted += 1;
        return Promise.resolve({ mayTry: true });
      },
      giveBack: () => {
        counted -= 1;
        return Promise.resolve();
      },
    };
  });
  const spray = (times: number) =>
    Promise.all(
      Array.from({ length: times }, (_, each) =>
        refusalOf(world.login({ username: `name-${each}`, ...wrong }, { failures })),
      ),
    );

  test('are refused past the limit without a hash, with the wait, which says nothing of any name', async () => {
    const outcomes = await spray(15);
    expect(outcomes.filter((reason) => reason === 'unknown-user')).toHaveLength(10);
    expect(outcomes.filter((reason) => reason === 'too-many-from-address')).toHaveLength(5);
    expect(compare).toHaveBeenCalledTimes(10);
    await expect(world.login(account, { failures })).rejects.toMatchObject({
      reason: 'too-many-from-address',
      retryAfter: 42,
    });
  });

  test('leave the ones that get in uncounted, and a known device alone', async () => {
    for (let login = 0; login < 15; login += 1) await world.login(account, { failures });
    expect(counted).toBe(0);
    const { device_token: deviceToken } = await world.login(account, { failures });
    await spray(15);
    await expect(world.login({ ...account, deviceToken }, { failures })).resolves.toHaveProperty('access');
    expect(counted).toBe(10);
  });

  test('are an outage where they cannot be counted, but a login stands whose try is not given back', async () => {
    expect(await refusalOf(world.login(account, { failures: { ...failures, count: unreachable } }))).toBe('outage');
    const needs = { failures: { ...failures, giveBack: unreachable } };
    await expect(world.login(account, needs)).resolves.toHaveProperty('access');
    expect(world.noted).toContain('failure-not-given-back');
  });
});
