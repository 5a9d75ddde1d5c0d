import { standing, type Caller, type StandingNeeds } from '../shared/domain/standing.ts';
import { isoTime } from '../shared/domain/time.ts';
import type { User } from '../shared/domain/user.ts';

export type ProfileNeeds = StandingNeeds;

/** A user as they see themselves. */
export interface Profile {
  readonly id: string;
  readonly username: string;
  readonly display_name: string | null;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly created_at: string;
}

/**
 * The caller's own profile.
 *
 * @throws {Refusal} `bearer-refused` where the session was ended or the user disabled after the token was made
 */
export async function profile(caller: Caller, needs: ProfileNeeds): Promise<Profile> {
  return profileOf((await standing(caller, needs)).user);
}

const profileOf = ({ id, username, displayName, email, roles, createdAt }: User): Profile => ({
  id,
  username,
  display_name: displayName ?? null,
  email: email ?? null,
  roles,
  created_at: isoTime(createdAt),
});
