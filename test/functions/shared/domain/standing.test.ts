import { describe, expect, test } from '@jest/globals';
import { vouchedFor } from '../../../../functions/shared/domain/renewal.ts';
import type { Session } from '../../../../functions/shared/domain/session.ts';
import { standing } from '../../../../functions/shared/domain/standing.ts';
import { after } from '../../../../functions/shared/domain/time.ts';
import type { User } from '../../../../functions/shared/domain/user.ts';
import { aSession, aUser } from '../../../support/builders.ts';
import { clockAt, START } from '../../../support/clock.ts';

describe('a user stands behind a session', () => {
  test('while active and of the same epoch', () => {
    const user = aUser({ epoch: 3 });
    expect(vouchedFor(aSession({ epoch: 3 }), user)).toBe(user);
  });

  test.each([
    ['account-gone', undefined],
    ['account-disabled', aUser({ status: 'disabled' })],
    ['account-disabled', aUser({ status: 'disabled', epoch: 1 })],
    ['session-superseded', aUser({ epoch: 1 })],
    ['session-superseded', aUser({ epoch: -1 })],
  ])('and otherwise not: %s', (reason, user) => {
    expect(() => vouchedFor(aSession(), user)).toThrow(expect.objectContaining({ name: 'Refusal', reason }));
  });
});

describe('whoever bears a good access token', () => {
  const caller = { userId: aUser().id, sessionId: aSession().sessionId };
  const ask = (session: Session | undefined, user: User | undefined, age = 0) =>
    standing(caller, {
      now: clockAt(after(START, age)).now,
      findSession: () => Promise.resolve(session),
      findUser: () => Promise.resolve(user),
    });

  test('is the user and the session behind it', async () => {
    await expect(ask(aSession(), aUser())).resolves.toEqual({ session: aSession(), user: aUser() });
  });

  test.each([
    ['session is not there', undefined, aUser(), 0],
    ['session was ended', aSession({ revokedAt: START }), aUser(), 0],
    ['session has reached its end', aSession({ expiresAt: after(START, 5) }), aUser(), 5],
    ['user is gone', aSession(), undefined, 0],
    ['user is disabled', aSession(), aUser({ status: 'disabled' }), 0],
    ['user has logged out everywhere', aSession(), aUser({ epoch: 1 }), 0],
  ])('is refused, and not told why, where the %s', async (_, session, user, age) => {
    await expect(ask(session, user, age)).rejects.toMatchObject({ name: 'Refusal', reason: 'bearer-refused' });
  });

  test('is still welcome in the second before the end', async () => {
    await expect(ask(aSession({ expiresAt: after(START, 5) }), aUser(), 4)).resolves.toBeDefined();
  });

  test('makes an outage of the store none of their own', async () => {
    const outage = new Error('out of reach');
    const needs = { now: clockAt().now, findUser: () => Promise.resolve(aUser()) };
    await expect(standing(caller, { ...needs, findSession: () => Promise.reject(outage) })).rejects.toBe(outage);
  });
});
