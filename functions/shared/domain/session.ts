import type { Counter, SessionId, UserId } from './ids.ts';
import { after, earlier, type Seconds, type UnixSeconds } from './time.ts';

/** A hash of who asked (address and user agent, as `CLIENT_PRINT` decides); tells two devices apart, identifies none. */
export type ClientPrint = string & { readonly hashes: 'client' };

/** The device a session belongs to, as it showed itself at login; shown to its user, decides nothing. */
export interface Device {
  readonly address: string;
  readonly userAgent: string;
}

/**
 * One device's login: one item, whatever happens to it. Counters from `base` (not included) to `current` are
 * live; `parent` is the one whose rotation made them. DESIGN of the rule: {@link renewal}.
 */
export interface Session {
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly current: Counter;
  /** -1 at login, else a counter. */
  readonly base: number;
  readonly parent?: Counter;
  /** When `parent` was presented and rotated; absent until the first refresh. */
  readonly rotatedAt?: UnixSeconds;
  /** The last rotation or fork; absent until the first refresh. */
  readonly changedAt?: UnixSeconds;
  /** Who caused that change. */
  readonly client: ClientPrint;
  /** The user's epoch at login; a session of an earlier epoch is dead. */
  readonly epoch: number;
  readonly createdAt: UnixSeconds;
  /** When it ends unless it is refreshed; {@link endOf} also knows the absolute end. */
  readonly expiresAt: UnixSeconds;
  /** When it ends however often it is refreshed. */
  readonly maxExpiresAt: UnixSeconds;
  readonly revokedAt?: UnixSeconds;
  readonly device: Device;
}

/** How long sessions live. */
export interface SessionLifetimes {
  readonly idle: Seconds;
  readonly absolute: Seconds;
}

/** The session a login begins. It is no rotation: the first refresh rotates. */
export const newSession = (
  user: { readonly id: UserId; readonly epoch: number },
  sessionId: SessionId,
  seen: { readonly client: ClientPrint; readonly device: Device },
  lifetimes: SessionLifetimes,
  now: UnixSeconds,
): Session => ({
  userId: user.id,
  sessionId,
  current: 0 as Counter,
  base: -1,
  client: seen.client,
  epoch: user.epoch,
  createdAt: now,
  expiresAt: after(now, lifetimes.idle),
  maxExpiresAt: after(now, lifetimes.absolute),
  device: seen.device,
});

/** When the session ends if nobody refreshes it: its idle end, never past the absolute one. */
export const endOf = (session: Session): UnixSeconds => earlier(session.expiresAt, session.maxExpiresAt);

/** Whether nothing has ended it: not itself, not time, not the user's epoch. */
export const isAlive = (session: Session, epoch: number, now: UnixSeconds): boolean =>
  session.revokedAt === undefined && now < endOf(session) && session.epoch === epoch;

/** When the newest refresh token was made. With {@link endOf} it makes that token again, byte for byte. */
export const issuedAt = (session: Session): UnixSeconds => session.changedAt ?? session.createdAt;
