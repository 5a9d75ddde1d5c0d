import { guessed, type GuessNeeds } from '../shared/account/current-password.ts';
import { post, type PostNeeds } from '../shared/account/post.ts';
import { Outage } from '../shared/domain/refusal.ts';
import { standing, type Caller, type StandingNeeds } from '../shared/domain/standing.ts';
import { lookupName } from '../shared/domain/username.ts';
import { accountWasDeleted } from '../shared/mail/letters.ts';
import type { RaiseEpoch } from '../shared/store/epochs.ts';
import type { RemoveAccount, RemoveSessions } from '../shared/store/removal.ts';

export interface DeleteNeeds extends StandingNeeds, GuessNeeds, PostNeeds {
  raiseEpoch: RaiseEpoch;
  removeSessions: RemoveSessions;
  removeAccount: RemoveAccount;
}

/** How often the removal of an account that changes meanwhile is tried. */
const TRIES = 3;

/**
 * Deletes the caller's account with everything that is kept of it. Cut off anywhere, the account still stands without
 * sessions, and its user can log in and delete it again.
 *
 * @throws {Refusal} `bearer-refused`, or as {@link guessed} refuses
 */
export async function deleteAccount(caller: Caller, currentPassword: string, needs: DeleteNeeds): Promise<void> {
  let { user }: { user: Awaited<ReturnType<typeof standing>>['user'] | undefined } = await standing(caller, needs);
  const { username } = user;
  const name = lookupName(username);
  await guessed(caller, name, currentPassword, 'account-deletion-failed', needs, needs.now());
  // All at once, however many there are, and whatever fails after this.
  await needs.raiseEpoch(user.id);
  await needs.removeSessions(user.id);
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    if (user === undefined || (await needs.removeAccount(name, user))) {
      needs.note('account-deleted', caller);
      if (user?.emailVerified && user.email !== undefined) {
        await post(accountWasDeleted(user.email, username), user.id, needs);
      }
      return;
    }
    user = await needs.findUser(caller.userId);
  }
  throw new Outage('an account under contention');
}
