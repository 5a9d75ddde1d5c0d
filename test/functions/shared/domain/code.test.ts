import { expect, test } from '@jest/globals';
import { CODE_LIFETIME_SECONDS, codeFor, confirms, isCode, opens } from '../../../../functions/shared/domain/code.ts';
import { after } from '../../../../functions/shared/domain/time.ts';
import { newCode } from '../../../../functions/shared/runtime/ids.ts';
import { aUser } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';

const EMAIL = 'ada@example.com';
const waiting = aUser({ pendingEmail: EMAIL });
const verified = aUser({ email: 'Ada@Example.com', emailVerified: true });

test('a code confirms an address for a day and opens an account for half an hour, not a second longer', () => {
  expect(CODE_LIFETIME_SECONDS).toEqual({ verify: 86_400, reset: 1_800 });
  const verify = codeFor('verify', waiting, EMAIL, START);
  expect([86_399, 86_400].map((age) => confirms(verify, waiting, after(START, age)))).toEqual([true, false]);
  const reset = codeFor('reset', verified, EMAIL, START);
  expect([1_799, 1_800].map((age) => opens(reset, verified, after(START, age)))).toEqual([true, false]);
});

test('a code of one kind does nothing of the other', () => {
  const both = { ...verified, pendingEmail: EMAIL };
  expect(confirms(codeFor('reset', both, EMAIL, START), both, START)).toBe(false);
  expect(opens(codeFor('verify', both, EMAIL, START), both, START)).toBe(false);
});

test.each([
  ['nobody', undefined],
  ['somebody else', { ...waiting, id: 'other' as never }],
  ['a disabled user', { ...waiting, status: 'disabled' as const }],
  ['a user with another password by now', { ...waiting, passwordVersion: 2 }],
  ['a user who waits for another address', { ...waiting, pendingEmail: 'other@example.com' }],
  ['a user who waits for none', aUser()],
])('a code confirms nothing for %s', (_, user) => {
  const code = codeFor('verify', waiting, EMAIL, START);
  expect(confirms(code, waiting, START)).toBe(true);
  expect(confirms(code, user, START)).toBe(false);
  expect(confirms(undefined, user, START)).toBe(false);
});

test.each([
  ['nobody', undefined],
  ['somebody else', { ...verified, id: 'other' as never }],
  ['a disabled user', { ...verified, status: 'disabled' as const }],
  ['a user with another password by now', { ...verified, passwordVersion: 2 }],
  ['a user with another address by now', { ...verified, email: 'other@example.com' }],
  ['a user with none by now', aUser()],
  ['a user whose address is not verified', aUser({ email: EMAIL })],
])('a code opens nothing of %s', (_, user) => {
  const code = codeFor('reset', verified, EMAIL, START);
  expect(opens(code, verified, START)).toBe(true);
  expect(opens(code, user, START)).toBe(false);
  expect(opens(undefined, user, START)).toBe(false);
});

test('codes are 256 random bits in base64url, and nothing else is one', () => {
  const codes = Array.from({ length: 100 }, newCode);
  expect(new Set(codes).size).toBe(100);
  expect(codes.every(isCode)).toBe(true);
  expect(Buffer.from(codes[0]!, 'base64url')).toHaveLength(32);
  for (const text of ['', 'x', 'x'.repeat(42), 'x'.repeat(44), `${'x'.repeat(42)}+`, `${'x'.repeat(43)}\n`]) {
    expect(isCode(text)).toBe(false);
  }
});
