import { describe, expect, test } from '@jest/globals';
import { Refusal, type Reason } from '../../../../functions/shared/domain/refusal.ts';
import { renewal, type Presented, type Renewal } from '../../../../functions/shared/domain/renewal.ts';
import type { Session } from '../../../../functions/shared/domain/session.ts';
import { after, unixSeconds, type Seconds } from '../../../../functions/shared/domain/time.ts';
import { aSession, client, counter } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';

const IDLE = 1_000;

/** A session whose tokens 5 and 6 are live, made when the phone presented 4 at {@link START}. */
const rotated = (changes: Partial<Session> = {}): Session =>
  aSession({
    current: counter(6),
    base: 4,
    parent: counter(4),
    rotatedAt: START,
    changedAt: START,
    client: client('phone'),
    createdAt: after(START, -500),
    ...changes,
  });

const presented = (number: number, age: Seconds, by = 'phone'): Presented => ({
  counter: counter(number),
  client: client(by),
  now: after(START, age),
  idle: IDLE,
});

function reasonOf(act: () => unknown): Reason | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return undefined;
}

const changeOf = (outcome: Renewal) => (outcome.kind === 'same-again' ? undefined : outcome.change);

describe('the first refresh after a login', () => {
  test('rotates, however soon after the login it comes', () => {
    expect(renewal(aSession(), presented(0, 0))).toEqual({
      kind: 'rotate',
      change: {
        current: 1,
        base: 0,
        parent: 0,
        rotatedAt: START,
        changedAt: START,
        client: 'phone',
        expiresAt: START + IDLE,
      },
    });
  });

  test('rotates also where the clock has stepped back behind the login', () => {
    expect(renewal(aSession(), presented(0, -100)).kind).toBe('rotate');
  });
});

describe('a live token', () => {
  test.each([5, 6])('(%i of 5 and 6) gives the same successor again until 29 seconds after the change', (number) => {
    expect(renewal(rotated(), presented(number, 29))).toEqual({ kind: 'same-again' });
  });

  test.each([5, 6])('(%i of 5 and 6) rotates from the 30th second on', (number) => {
    expect(renewal(rotated(), presented(number, 30))).toEqual({
      kind: 'rotate',
      change: {
        current: 7,
        base: 6,
        parent: number,
        rotatedAt: START + 30,
        changedAt: START + 30,
        client: 'phone',
        expiresAt: START + 30 + IDLE,
      },
    });
  });

  test('gives the same successor again where the clock has stepped back', () => {
    expect(renewal(rotated(), presented(6, -1))).toEqual({ kind: 'same-again' });
    expect(renewal(rotated(), presented(6, -100_000))).toEqual({ kind: 'same-again' });
  });

  test('gives the same successor to another client too: two tabs on two networks are one device', () => {
    expect(renewal(rotated(), presented(6, 29, 'laptop'))).toEqual({ kind: 'same-again' });
  });

  test('counts the 30 seconds from the last fork, not from the rotation before it', () => {
    const forked = rotated({ changedAt: after(START, 20), current: counter(7) });
    expect(renewal(forked, presented(7, 49)).kind).toBe('same-again');
    expect(renewal(forked, presented(7, 50)).kind).toBe('rotate');
  });

  test('notes who rotates', () => {
    expect(changeOf(renewal(rotated(), presented(6, 30, 'laptop')))).toMatchObject({ client: 'laptop' });
  });
});

describe('the token that was rotated away last', () => {
  test('gives the same successor to the client that rotated it until 29 seconds after the change', () => {
    expect(renewal(rotated(), presented(4, 0))).toEqual({ kind: 'same-again' });
    expect(renewal(rotated(), presented(4, 29))).toEqual({ kind: 'same-again' });
    expect(renewal(rotated(), presented(4, -1))).toEqual({ kind: 'same-again' });
  });

  test('forks for that client from the 30th second on, and kills the successor that nobody confirmed', () => {
    expect(renewal(rotated(), presented(4, 30))).toEqual({
      kind: 'fork',
      change: {
        current: 7,
        base: 6,
        parent: 4,
        rotatedAt: START,
        changedAt: START + 30,
        client: 'phone',
        expiresAt: START + 30 + IDLE,
      },
    });
  });

  test('forks at once for another client, and leaves the successor alive', () => {
    expect(renewal(rotated(), presented(4, 0, 'laptop'))).toEqual({
      kind: 'fork',
      change: {
        current: 7,
        base: 4,
        parent: 4,
        rotatedAt: START,
        changedAt: START,
        client: 'laptop',
        expiresAt: START + IDLE,
      },
    });
    expect(changeOf(renewal(rotated(), presented(4, 29, 'laptop')))).toMatchObject({ base: 4 });
    expect(changeOf(renewal(rotated(), presented(4, -1, 'laptop')))).toMatchObject({ base: 4 });
  });

  test('leaves the successor alive for 30 seconds after the rotation, not after the last fork', () => {
    const forked = rotated({ changedAt: after(START, 20), client: client('laptop') });
    expect(changeOf(renewal(forked, presented(4, 29, 'phone')))).toMatchObject({ base: 4, rotatedAt: START });
    expect(changeOf(renewal(forked, presented(4, 30, 'phone')))).toMatchObject({ base: 6, rotatedAt: START });
  });

  test('recovers a lost answer however late it is', () => {
    const late = rotated({ expiresAt: after(START, 9_000_000), maxExpiresAt: after(START, 9_000_000) });
    expect(renewal(late, presented(4, 8_999_999)).kind).toBe('fork');
  });
});

describe('two requests in flight while a device changes networks', () => {
  const siblings = (): Session => {
    const first = renewal(aSession(), presented(0, 0, 'wifi'));
    const one = { ...aSession(), ...changeOf(first) };
    return { ...one, ...changeOf(renewal(one, presented(0, 1, 'mobile'))) };
  };

  test('leave two live tokens', () => {
    expect(siblings()).toMatchObject({ current: 2, base: 0, parent: 0 });
    expect(renewal(siblings(), presented(1, 5)).kind).toBe('same-again');
    expect(renewal(siblings(), presented(2, 5)).kind).toBe('same-again');
  });

  test('leave one once either of them is used: the other one is theft from then on', () => {
    const confirmed = { ...siblings(), ...changeOf(renewal(siblings(), presented(2, 31, 'mobile'))) };
    expect(confirmed).toMatchObject({ current: 3, base: 2, parent: 2 });
    expect(reasonOf(() => renewal(confirmed, presented(1, 32, 'wifi')))).toBe('token-reused');
    expect(reasonOf(() => renewal(confirmed, presented(0, 32, 'wifi')))).toBe('token-reused');
  });
});

describe('a token newer than any we know of', () => {
  test('is adopted, for the item comes from a backup or from another region', () => {
    expect(renewal(rotated(), presented(9, 1))).toEqual({
      kind: 'adopt',
      change: {
        current: 10,
        base: 9,
        parent: 9,
        rotatedAt: START + 1,
        changedAt: START + 1,
        client: 'phone',
        expiresAt: START + 1 + IDLE,
      },
    });
  });

  test('is adopted from the very next counter on, also at a session that was never refreshed', () => {
    expect(renewal(rotated(), presented(7, 0)).kind).toBe('adopt');
    expect(renewal(aSession(), presented(1, 0)).kind).toBe('adopt');
  });

  test('gives the same successor again afterwards, and what was live before it is theft', () => {
    const adopted = { ...rotated(), ...changeOf(renewal(rotated(), presented(9, 1))) };
    expect(renewal(adopted, presented(9, 2)).kind).toBe('same-again');
    expect(reasonOf(() => renewal(adopted, presented(6, 2)))).toBe('token-reused');
  });
});

describe('any other token that we signed', () => {
  test('is theft, be it ever so recent and from the same client', () => {
    expect(reasonOf(() => renewal(rotated(), presented(3, 0)))).toBe('token-reused');
    expect(reasonOf(() => renewal(rotated(), presented(0, 0)))).toBe('token-reused');
    expect(reasonOf(() => renewal(rotated(), presented(3, 10_000, 'laptop')))).toBe('token-reused');
  });

  test('is theft where it is the successor that a late fork killed', () => {
    const forked = { ...rotated(), ...changeOf(renewal(rotated(), presented(4, 30))) };
    expect(reasonOf(() => renewal(forked, presented(6, 31)))).toBe('token-reused');
    expect(reasonOf(() => renewal(forked, presented(5, 31)))).toBe('token-reused');
    expect(renewal(forked, presented(7, 31)).kind).toBe('same-again');
  });
});

describe('a session that has ended', () => {
  test('refuses what is not there', () => {
    expect(reasonOf(() => renewal(undefined, presented(0, 0)))).toBe('unknown-session');
  });

  test('refuses every counter once it is revoked, without calling any of them theft', () => {
    const revoked = rotated({ revokedAt: START });
    for (const number of [0, 3, 4, 5, 6, 7]) {
      expect(reasonOf(() => renewal(revoked, presented(number, 1)))).toBe('session-revoked');
    }
  });

  test.each([
    ['idle', rotated({ expiresAt: after(START, 100) })],
    ['absolute', rotated({ maxExpiresAt: after(START, 100) })],
  ])('is alive in the second before its %s end and not in that second', (_, session) => {
    expect(renewal(session, presented(6, 99)).kind).toBe('rotate');
    expect(reasonOf(() => renewal(session, presented(6, 100)))).toBe('session-expired');
    expect(reasonOf(() => renewal(session, presented(0, 100)))).toBe('session-expired');
  });

  test('may promise an idle end beyond the absolute one, which then decides', () => {
    const session = rotated({ maxExpiresAt: after(START, 100) });
    const again = { ...session, ...changeOf(renewal(session, presented(6, 99))) };
    expect(again.expiresAt).toBe(unixSeconds(START + 99 + IDLE));
    expect(reasonOf(() => renewal(again, presented(7, 100)))).toBe('session-expired');
  });
});
