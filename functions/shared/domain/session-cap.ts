import { isAlive, issuedAt, type Session } from './session.ts';
import type { UnixSeconds } from './time.ts';

/** Sessions that have to go so that one more can come, those among them that were still alive marked. */
export interface Surplus {
  readonly session: Session;
  readonly wasAlive: boolean;
}

/**
 * The cap on sessions per user: dead ones that nobody has collected yet go first, then the least recently used.
 *
 * @param sessions the user's, in any order
 * @param epoch the user's
 * @param cap how many a user may have, the one that comes included
 */
export function surplus(
  sessions: readonly Session[],
  epoch: number,
  cap: number,
  now: UnixSeconds,
): readonly Surplus[] {
  const ranked = sessions
    .map((session) => ({ session, wasAlive: isAlive(session, epoch, now) }))
    .toSorted(
      (one, other) => Number(one.wasAlive) - Number(other.wasAlive) || issuedAt(one.session) - issuedAt(other.session),
    );
  return ranked.slice(0, Math.max(0, sessions.length - cap + 1));
}
