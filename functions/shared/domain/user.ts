import type { UserId } from './ids.ts';
import type { UnixSeconds } from './time.ts';

/** What everybody who reads a `USER#` item may see. The password hash is not here but in the `LOGIN#` item. */
export interface User {
  readonly id: UserId;
  /** As the user wrote it; {@link canonicalUsername} of it is the key of the `LOGIN#` item. */
  readonly username: string;
  readonly displayName?: string;
  readonly email?: string;
  /** Absent: `email` was never shown to be the user's, and opens nothing. True only with an `EMAIL#` item of the user's. */
  readonly emailVerified?: true;
  /** An address that the user wants to have and that nobody has confirmed yet. */
  readonly pendingEmail?: string;
  readonly status: 'active' | 'disabled';
  readonly roles: readonly string[];
  /** Raised to end every session at once; a session lives only while it carries the same one. Never goes down. */
  readonly epoch: number;
  /** The same number stands in the `LOGIN#` item; a login that reads two different ones reads again. */
  readonly passwordVersion: number;
  readonly createdAt: UnixSeconds;
}

/** What a login compares a password with. */
export interface Login {
  readonly userId: UserId;
  /** Names its own scheme and parameters; see `password/`. */
  readonly passwordHash: string;
  readonly passwordVersion: number;
}
