import { isoTime } from './time.ts';
import type { User } from './user.ts';

/** A user as they see themselves. */
export interface Profile {
  readonly id: string;
  readonly username: string;
  readonly display_name: string | null;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly created_at: string;
}

export const profileOf = ({ id, username, displayName, email, roles, createdAt }: User): Profile => ({
  id,
  username,
  display_name: displayName ?? null,
  email: email ?? null,
  roles,
  created_at: isoTime(createdAt),
});
