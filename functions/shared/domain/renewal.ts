import { next, type Counter } from './ids.ts';
import { Refusal } from './refusal.ts';
import { endOf, type ClientPrint, type Session } from './session.ts';
import { after, type Seconds, type UnixSeconds } from './time.ts';
import type { User } from './user.ts';

/** For this long after a change, a live token gives the same successor again instead of a new one. */
export const RECENT_SECONDS = 30;

/** What a change does to a session's item. */
export interface Change {
  readonly current: Counter;
  readonly base: number;
  readonly parent: Counter;
  readonly rotatedAt: UnixSeconds;
  readonly changedAt: UnixSeconds;
  readonly client: ClientPrint;
  readonly expiresAt: UnixSeconds;
}

/** What presenting a refresh token leads to. */
export type Renewal =
  { readonly kind: 'same-again' } | { readonly kind: 'rotate' | 'fork' | 'adopt'; readonly change: Change };

/** A refresh token that was presented, by whom and when. */
export interface Presented {
  readonly counter: Counter;
  readonly client: ClientPrint;
  readonly now: UnixSeconds;
  /** How long the session then lives unless it is refreshed again. */
  readonly idle: Seconds;
}

/** Whether a time is less than {@link RECENT_SECONDS} ago. A clock that stepped back makes it recent, not ancient. */
const isRecent = (time: UnixSeconds | undefined, now: UnixSeconds): boolean =>
  time !== undefined && now - time < RECENT_SECONDS;

/**
 * Whether a session is alive, whatever its counters say.
 *
 * @throws {Refusal} `unknown-session`, `session-revoked`, `session-expired` (from the second of its end on)
 */
export function living(session: Session | undefined, now: UnixSeconds): Session {
  if (session === undefined) throw new Refusal('unknown-session');
  if (session.revokedAt !== undefined) throw new Refusal('session-revoked');
  if (now >= endOf(session)) throw new Refusal('session-expired');
  return session;
}

/**
 * Whether a session's user still stands behind it.
 *
 * @throws {Refusal} `account-gone`, `account-disabled`, or `session-superseded` where the user's epoch has moved on
 *   (logged out everywhere, password changed)
 */
export function vouchedFor(session: Session, user: User | undefined): User {
  if (user === undefined) throw new Refusal('account-gone');
  if (user.status !== 'active') throw new Refusal('account-disabled');
  if (user.epoch !== session.epoch) throw new Refusal('session-superseded');
  return user;
}

/** What a rotation of counter `presented` writes. Only the first, optimistic write of the store needs it by itself. */
export const rotation = (current: Counter, { counter, client, now, idle }: Presented): Change => ({
  current: next(current),
  base: current,
  parent: counter,
  rotatedAt: now,
  changedAt: now,
  client,
  expiresAt: after(now, idle),
});

/**
 * The session rule: what a validly signed refresh token leads to. Rotation with reuse detection (RFC 9700
 * section 4.14.2) that neither loses the session of a client whose answer got lost nor lets two holders live on.
 *
 * @throws {Refusal} what {@link living} throws, or `token-reused`: somebody else holds a token of this session
 */
export function renewal(found: Session | undefined, presented: Presented): Renewal {
  const session = living(found, presented.now);
  const { counter, client, now, idle } = presented;
  const { current, base, parent, rotatedAt } = session;
  const recent = isRecent(session.changedAt, now);

  if (counter > base && counter <= current) {
    return recent ? { kind: 'same-again' } : { kind: 'rotate', change: rotation(current, presented) };
  }
  if (parent !== undefined && rotatedAt !== undefined && counter === parent) {
    if (recent && client === session.client) return { kind: 'same-again' };
    return {
      kind: 'fork',
      change: {
        current: next(current),
        // A device that changes networks with two requests in flight is one device: its sibling lives until
        // one of the two is used. Later, the successor that nobody confirmed is dead.
        base: isRecent(rotatedAt, now) ? base : current,
        parent,
        rotatedAt,
        changedAt: now,
        client,
        expiresAt: after(now, idle),
      },
    };
  }
  if (counter > current) {
    return { kind: 'adopt', change: { ...rotation(current, presented), current: next(counter), base: counter } };
  }
  throw new Refusal('token-reused');
}
