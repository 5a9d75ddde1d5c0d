import { confirmationsOf, confirmationsTo, guessesOf } from '../shared/account/counters.ts';
import { guessed, type GuessNeeds } from '../shared/account/current-password.ts';
import { post, type PostNeeds } from '../shared/account/post.ts';
import { codeFor } from '../shared/domain/code.ts';
import { profileOf, type Profile } from '../shared/domain/profile.ts';
import { Outage, Refusal } from '../shared/domain/refusal.ts';
import { standing, type Caller, type StandingNeeds } from '../shared/domain/standing.ts';
import type { User } from '../shared/domain/user.ts';
import { lookupName } from '../shared/domain/username.ts';
import { confirmEmail, emailChanging } from '../shared/mail/letters.ts';
import type { ClearAttempts } from '../shared/store/attempts.ts';
import type { PutCode } from '../shared/store/codes.ts';
import type { RemoveEmail } from '../shared/store/emails.ts';
import type { ChangeProfile, ProfileChange } from '../shared/store/users.ts';

export interface ChangeNeeds extends StandingNeeds, GuessNeeds, PostNeeds {
  clearAttempts: ClearAttempts;
  changeProfile: ChangeProfile;
  removeEmail: RemoveEmail;
  putCode: PutCode;
  newCode(): string;
  verifyLink: string;
}

/** What callers change of themselves; null takes a value away. */
export interface AccountChange {
  readonly displayName?: string | null;
  readonly email?: { readonly address: string | null; readonly currentPassword: string };
}

/** How often a change that met another one is tried. */
const TRIES = 3;

/**
 * Changes what callers may change of themselves. A new address is pending until a code that was mailed to it comes back,
 * and resets go to the old one for as long.
 *
 * @throws {Refusal} `bearer-refused`; for an address also as {@link guessed} refuses, `too-many-guesses` where too many
 *   mails were asked for, and `invalid-fields` where no mail can be sent
 */
export async function changeAccount(caller: Caller, change: AccountChange, needs: ChangeNeeds): Promise<Profile> {
  const { user } = await standing(caller, needs);
  const { displayName, email } = change;
  const named = displayName !== undefined && { displayName };
  if (email === undefined) return profileOf(await changed(user, caller, named || {}, needs));

  const { address, currentPassword } = email;
  if (address !== null && needs.sendMail === undefined) {
    throw new Refusal('invalid-fields', { fields: { email: ['No mail can be sent here to confirm an address.'] } });
  }
  await guessed(caller, lookupName(user.username), currentPassword, 'email-change-failed', needs, needs.now());
  await forget(guessesOf(user.id), needs);
  return address === null
    ? profileOf(await withoutEmail(user, caller, named || {}, needs))
    : profileOf(await withPendingEmail(user, address, caller, named || {}, needs));
}

async function withPendingEmail(
  user: User,
  address: string,
  caller: Caller,
  named: ProfileChange,
  needs: ChangeNeeds,
): Promise<User> {
  // What is the user's own already needs no confirmation, and takes a pending one back.
  if (user.emailVerified && user.email === address) {
    return changed(user, caller, { ...named, pendingEmail: null }, needs);
  }
  await countMail(user, address, needs);
  const code = needs.newCode();
  const waiting = await changed(user, caller, { ...named, pendingEmail: address }, needs);
  // Stored after the address it confirms: without that, it confirms nothing.
  await needs.putCode(code, codeFor('verify', waiting, address, needs.now()));
  await Promise.all([
    post(confirmEmail(address, user.username, needs.verifyLink, code), user.id, needs),
    tellPresentAddress(user, needs),
  ]);
  return waiting;
}

async function withoutEmail(user: User, caller: Caller, named: ProfileChange, needs: ChangeNeeds): Promise<User> {
  let read = user;
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const { email, emailVerified } = read;
    if (email === undefined || emailVerified === undefined) {
      return changed(read, caller, { ...named, email: null, pendingEmail: null }, needs);
    }
    if (await needs.removeEmail({ ...read, email })) {
      needs.note('email-changed', { ...caller, reason: 'taken-away' });
      await tellPresentAddress(read, needs);
      return changed((await standing(caller, needs)).user, caller, named, needs);
    }
    read = (await standing(caller, needs)).user;
  }
  throw new Outage('a profile under contention');
}

/** The user with a change made. @param read as they were a moment ago */
async function changed(read: User, caller: Caller, change: ProfileChange, needs: ChangeNeeds): Promise<User> {
  if (Object.keys(change).length === 0) return read;
  let user = read;
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const written = await needs.changeProfile(user, change);
    if (written !== undefined) return written;
    ({ user } = await standing(caller, needs));
  }
  throw new Outage('a profile under contention');
}

/** Whoever owns the address so far learns of it while they can still do something. */
const tellPresentAddress = async (user: User, needs: ChangeNeeds): Promise<void> => {
  if (user.emailVerified && user.email !== undefined) {
    await post(emailChanging(user.email, user.username), user.id, needs);
  }
};

/** Counted for the user and for the address, so that nobody can have a stranger's mailbox filled. */
async function countMail(user: User, address: string, needs: ChangeNeeds): Promise<void> {
  const names = [confirmationsOf(user.id), confirmationsTo(address)];
  const counted = await Promise.all(names.map((name) => needs.countAttempt(name, needs.now())));
  const waits = counted.flatMap((one) => (one.mayTry ? [] : [one.wait]));
  if (waits.length === 0) return;
  needs.note('email-change-failed', { userId: user.id, reason: 'too-many-guesses' });
  throw new Refusal('too-many-guesses', { retryAfter: Math.max(...waits) });
}

const forget = (name: string, needs: ChangeNeeds): Promise<void> =>
  needs.clearAttempts(name).catch((error: unknown) => needs.warn('guesses-not-cleared', error));
