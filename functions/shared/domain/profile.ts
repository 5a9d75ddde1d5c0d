import { isoTime } from './time.ts';
import type { User } from './user.ts';

/** A user as they see themselves. */
export interface Profile {
  readonly id: string;
  readonly username: string;
  readonly display_name: string | null;
  readonly email: string | null;
  readonly email_verified: boolean;
  /** An address that takes the place of `email` once it is verified. */
  readonly pending_email: string | null;
  readonly roles: readonly string[];
  readonly created_at: string;
}

export const profileOf = (user: User): Profile => ({
  id: user.id,
  username: user.username,
  display_name: user.displayName ?? null,
  email: user.email ?? null,
  email_verified: user.emailVerified === true,
  pending_email: user.pendingEmail ?? null,
  roles: user.roles,
  created_at: isoTime(user.createdAt),
});
