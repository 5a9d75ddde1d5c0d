import { profileOf, type Profile } from '../shared/domain/profile.ts';
import { standing, type Caller, type StandingNeeds } from '../shared/domain/standing.ts';

/**
 * The caller's own profile.
 *
 * @throws {Refusal} `bearer-refused` where the session was ended or the user disabled after the token was made
 */
export async function profile(caller: Caller, needs: StandingNeeds): Promise<Profile> {
  return profileOf((await standing(caller, needs)).user);
}
