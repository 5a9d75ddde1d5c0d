import { beforeEach, expect, test } from '@jest/globals';
import { confirmReset, type ConfirmNeeds } from '../../../functions/confirm-reset/confirm-reset.ts';
import { codeFor } from '../../../functions/shared/domain/code.ts';
import { newCode } from '../../../functions/shared/runtime/ids.ts';
import type { WasReset } from '../../../functions/shared/store/resets.ts';
import { aUser } from '../../support/builders.ts';
import { START } from '../../support/clock.ts';
import { refusalOf, unreachable } from '../../support/world.ts';

const NEW = 'a horse of another colour';
const token = newCode();
const ada = aUser({ email: 'ada@example.com', emailVerified: true });

let hashes: number;
let cleared: string[];
let said: string[];
let outcomes: WasReset[];
let needs: ConfirmNeeds;

beforeEach(() => {
  hashes = 0;
  cleared = [];
  said = [];
  outcomes = ['done'];
  needs = {
    now: () => START,
    findCode: () => Promise.resolve(codeFor('reset', ada, 'ada@example.com', START)),
    findUser: () => Promise.resolve(ada),
    passwords: { hash: () => Promise.resolve(`hash ${(hashes += 1)}`) },
    resetPassword: () => Promise.resolve(outcomes.shift() ?? 'changed'),
    clearAttempts: (name) => Promise.resolve(void cleared.push(name)),
    minimumLength: 15,
    sendMail: undefined,
    note: (event) => void said.push(event),
    warn: (event) => void said.push(event),
  };
});

const confirm = (change: Partial<ConfirmNeeds> = {}, wanted = NEW) =>
  refusalOf(confirmReset({ token, wanted }, '203.0.113.7', { ...needs, ...change }));

test('a reset costs one hash, however often it is decided again', async () => {
  outcomes = ['changed', 'changed', 'done'];
  expect(await confirm()).toBe('accepted');
  expect(hashes).toBe(1);
  expect(said).toEqual(['password-reset']);
});

test('a code that is no good and a password that will not do cost none', async () => {
  expect(await confirm({ findCode: () => Promise.resolve(undefined) })).toBe('invalid-fields');
  expect(await confirm({ findUser: () => Promise.resolve(undefined) })).toBe('invalid-fields');
  expect(await confirm({ findUser: () => Promise.resolve({ ...ada, passwordVersion: 2 }) })).toBe('invalid-fields');
  expect(await confirm({}, 'short')).toBe('invalid-fields');
  expect([hashes, said, cleared]).toEqual([0, [], []]);
});

test('an account that changes at every try is an outage, not a reset', async () => {
  outcomes = [];
  expect(await confirm()).toBe('outage');
  expect([said, cleared]).toEqual([[], []]);
});

test('everything that was counted against the account and its caller is forgotten', async () => {
  await confirm();
  expect(cleared.sort()).toEqual(['ada', `password ${ada.id}`, 'resets from 203.0.113.7', 'resets to ada@example.com']);
  outcomes = ['done'];
  expect(await confirm({ clearAttempts: unreachable })).toBe('accepted');
  expect(said).toEqual(['password-reset', 'password-reset', 'attempts-not-cleared']);
});
