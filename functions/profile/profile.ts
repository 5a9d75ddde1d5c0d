import { Refusal } from '../shared/domain/refusal.ts';
import { living, vouchedFor } from '../shared/domain/renewal.ts';
import type { Clock, UnixSeconds } from '../shared/domain/time.ts';
import type { User } from '../shared/domain/user.ts';
import type { Caller } from '../shared/http/request.ts';
import type { FindSession } from '../shared/store/sessions.ts';
import type { FindUser } from '../shared/store/users.ts';

export interface ProfileNeeds {
  now: Clock;
  findSession: FindSession;
  findUser: FindUser;
}

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
 * The caller's own profile, from a session that is alive at this moment: user and session are read in parallel.
 *
 * @throws {Refusal} `bearer-refused` where the session was ended or the user disabled after the token was made
 */
export async function profile({ userId, sessionId }: Caller, needs: ProfileNeeds): Promise<Profile> {
  const [session, user] = await Promise.all([needs.findSession(userId, sessionId), needs.findUser(userId)]);
  try {
    return profileOf(vouchedFor(living(session, needs.now()), user));
  } catch (error) {
    throw error instanceof Refusal ? new Refusal('bearer-refused') : error;
  }
}

const profileOf = ({ id, username, displayName, email, roles, createdAt }: User): Profile => ({
  id,
  username,
  display_name: displayName ?? null,
  email: email ?? null,
  roles,
  created_at: isoTime(createdAt),
});

/** ISO 8601 in UTC, to the second. */
const isoTime = (time: UnixSeconds): string => new Date(time * 1000).toISOString().replace('.000Z', 'Z');
