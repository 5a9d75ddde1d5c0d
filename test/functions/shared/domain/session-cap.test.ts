import { describe, expect, test } from '@jest/globals';
import type { SessionId } from '../../../../functions/shared/domain/ids.ts';
import { surplus } from '../../../../functions/shared/domain/session-cap.ts';
import type { Session } from '../../../../functions/shared/domain/session.ts';
import { after } from '../../../../functions/shared/domain/time.ts';
import { aSession } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';

const NOW = after(START, 1_000);
const named = (name: string, changes: Partial<Session> = {}) => aSession({ sessionId: name as SessionId, ...changes });
const usedAt = (name: string, seconds: number) => named(name, { changedAt: after(START, seconds) });
const goingOf = (sessions: readonly Session[], cap: number) =>
  surplus(sessions, 0, cap, NOW).map(({ session, wasAlive }) => [session.sessionId, wasAlive]);

describe('the cap on sessions', () => {
  const three = [usedAt('b', 20), usedAt('a', 10), usedAt('c', 30)];

  test('takes none while there is room for one more', () => {
    expect(goingOf(three, 4)).toEqual([]);
    expect(goingOf([], 1)).toEqual([]);
  });

  test('takes the least recently used where there is none', () => {
    expect(goingOf(three, 3)).toEqual([['a', true]]);
    expect(goingOf(three, 1)).toEqual([
      ['a', true],
      ['b', true],
      ['c', true],
    ]);
  });

  test('counts a login as a use', () => {
    expect(goingOf([usedAt('old', 10), named('new', { createdAt: after(START, 11) })], 2)).toEqual([['old', true]]);
  });

  test.each<[string, Partial<Session>]>([
    ['revoked', { revokedAt: START }],
    ['expired', { expiresAt: NOW }],
    ['past its absolute end', { maxExpiresAt: NOW }],
    ['of an earlier epoch', { epoch: -1 }],
  ])('takes one that is %s before any that is alive', (_, changes) => {
    const dead = { ...usedAt('dead', 900), ...changes };
    expect(goingOf([...three, dead], 4)).toEqual([['dead', false]]);
    expect(goingOf([...three, dead], 3)).toEqual([
      ['dead', false],
      ['a', true],
    ]);
  });

  test('has one alive to the second before its end', () => {
    const ending = named('ending', { expiresAt: after(NOW, 1), changedAt: START });
    expect(goingOf([ending], 1)).toEqual([['ending', true]]);
  });
});
