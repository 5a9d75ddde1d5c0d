import { profileOf, type Profile } from '../shared/domain/profile.ts';
import { Outage } from '../shared/domain/refusal.ts';
import { standing, type Caller, type StandingNeeds } from '../shared/domain/standing.ts';
import type { ChangeProfile, ProfileChange } from '../shared/store/users.ts';

export interface ProfileNeeds extends StandingNeeds {
  changeProfile: ChangeProfile;
}

/**
 * The caller's own profile.
 *
 * @throws {Refusal} `bearer-refused` where the session was ended or the user disabled after the token was made
 */
export async function profile(caller: Caller, needs: StandingNeeds): Promise<Profile> {
  return profileOf((await standing(caller, needs)).user);
}

/** How often a change that met another one is tried. */
const TRIES = 3;

/**
 * Changes what the caller may change of themselves.
 *
 * @throws {Refusal} as {@link profile}
 */
export async function changeProfile(caller: Caller, change: ProfileChange, needs: ProfileNeeds): Promise<Profile> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const { user } = await standing(caller, needs);
    const changed = Object.keys(change).length === 0 ? user : await needs.changeProfile(user, change);
    if (changed !== undefined) return profileOf(changed);
  }
  throw new Outage('a profile under contention');
}
