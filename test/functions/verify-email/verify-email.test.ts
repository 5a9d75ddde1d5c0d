import { beforeEach, expect, test } from '@jest/globals';
import { codeFor } from '../../../functions/shared/domain/code.ts';
import { newCode } from '../../../functions/shared/runtime/ids.ts';
import type { Verified } from '../../../functions/shared/store/emails.ts';
import { verifyEmail, type VerifyEmailNeeds } from '../../../functions/verify-email/verify-email.ts';
import { aUser } from '../../support/builders.ts';
import { START } from '../../support/clock.ts';
import { refusalOf, unreachable } from '../../support/world.ts';

const token = newCode();
const ada = aUser({ pendingEmail: 'ada@example.com' });

let outcomes: Verified[];
let reads: number;
let said: string[];
let needs: VerifyEmailNeeds;

beforeEach(() => {
  outcomes = [];
  reads = 0;
  said = [];
  needs = {
    now: () => START,
    findCode: () => Promise.resolve(codeFor('verify', ada, 'ada@example.com', START)),
    findUser: () => {
      reads += 1;
      return Promise.resolve(ada);
    },
    verifyEmail: () => Promise.resolve(outcomes.shift() ?? 'changed'),
    clearAttempts: () => Promise.resolve(),
    note: (event) => void said.push(event),
    warn: (event) => void said.push(event),
  };
});

test.each<[Verified[], string, number]>([
  [['done'], 'accepted', 1],
  [['changed', 'changed', 'done'], 'accepted', 3],
  [['changed', 'changed', 'changed'], 'outage', 3],
  [['changed', 'used'], 'invalid-fields', 2],
  [['taken'], 'email-taken', 1],
])('where the store says %j it is %s after %i readings', async (given, expected, readings) => {
  outcomes = [...given];
  expect(await refusalOf(verifyEmail(token, needs))).toBe(expected);
  expect(reads).toBe(readings);
  expect(said).toEqual(expected === 'accepted' ? ['email-changed'] : []);
});

test('counters that cannot be forgotten do not take the verification back', async () => {
  outcomes = ['done'];
  await verifyEmail(token, { ...needs, clearAttempts: unreachable });
  expect(said).toEqual(['email-changed', 'confirmations-not-cleared']);
});
