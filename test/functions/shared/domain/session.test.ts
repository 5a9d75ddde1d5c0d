import { expect, test } from '@jest/globals';
import { isCounter, isSessionId, isUserId, next } from '../../../../functions/shared/domain/ids.ts';
import { endOf, issuedAt, newSession } from '../../../../functions/shared/domain/session.ts';
import { after, earlier, isoTime, unixSeconds } from '../../../../functions/shared/domain/time.ts';
import { aSession, aUser, client, counter } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';

test('a login begins a session that has not been refreshed', () => {
  const device = { address: '203.0.113.7', userAgent: 'test/1' };
  const seen = { client: client('phone'), device };
  const session = newSession(aUser({ epoch: 4 }), aSession().sessionId, seen, { idle: 100, absolute: 1_000 }, START);
  expect(session).toEqual({
    userId: aUser().id,
    sessionId: aSession().sessionId,
    current: 0,
    base: -1,
    client: 'phone',
    epoch: 4,
    createdAt: START,
    expiresAt: START + 100,
    maxExpiresAt: START + 1_000,
    device,
  });
});

test('a session ends with whichever end comes first', () => {
  expect(endOf(aSession({ expiresAt: after(START, 1), maxExpiresAt: after(START, 2) }))).toBe(START + 1);
  expect(endOf(aSession({ expiresAt: after(START, 3), maxExpiresAt: after(START, 2) }))).toBe(START + 2);
  expect(earlier(after(START, 2), after(START, 2))).toBe(START + 2);
});

test('its newest refresh token was made at the last change, or else at the login', () => {
  expect(issuedAt(aSession())).toBe(START);
  expect(issuedAt(aSession({ rotatedAt: after(START, 5), changedAt: after(START, 9) }))).toBe(START + 9);
});

test('times are whole seconds, whatever is left over is cut off', () => {
  expect(unixSeconds(1_700_000_000.999)).toBe(1_700_000_000);
  expect(after(START, 0.9)).toBe(START);
  expect(after(START, -60)).toBe(START - 60);
  expect(isoTime(START)).toBe('2023-11-14T22:13:20Z');
});

test('ids are what ours look like and nothing that could be a key, a path or markup', () => {
  for (const isId of [isUserId, isSessionId]) {
    expect(isId('0a1b2c3d-0000-4000-8000-00000000ada0')).toBe(true);
    expect(isId('_')).toBe(true);
    expect(isId('x'.repeat(64))).toBe(true);
    expect(isId('x'.repeat(65))).toBe(false);
    for (const text of ['', ' ', 'a b', 'a#b', 'a/b', '../a', 'a\n', '\na', 'é', 'a\0', '<a>', 'a.b']) {
      expect(isId(text)).toBe(false);
    }
  }
});

test('counters are whole numbers from 0 that can still be raised', () => {
  expect([0, 1, 2 ** 48 - 1].every(isCounter)).toBe(true);
  expect([-1, -0.5, 0.5, 2 ** 48, NaN, Infinity].some(isCounter)).toBe(false);
  expect(next(counter(41))).toBe(42);
});
