import { confirmationsTo } from '../shared/account/counters.ts';
import { post, type PostNeeds } from '../shared/account/post.ts';
import { codeFor } from '../shared/domain/code.ts';
import type { UserId } from '../shared/domain/ids.ts';
import { profileOf, type Profile } from '../shared/domain/profile.ts';
import { Refusal } from '../shared/domain/refusal.ts';
import type { Clock } from '../shared/domain/time.ts';
import type { User } from '../shared/domain/user.ts';
import { lookupName } from '../shared/domain/username.ts';
import { confirmEmail } from '../shared/mail/letters.ts';
import type { Passwords } from '../shared/password/hash.ts';
import type { AddressAttempts } from '../shared/store/address-attempts.ts';
import type { CountAttempt } from '../shared/store/attempts.ts';
import type { PutCode } from '../shared/store/codes.ts';
import type { PutAccount } from '../shared/store/logins.ts';

/** What somebody who signs up says; checked against the rules of each field. */
export interface Registration {
  readonly username: string;
  readonly password: string;
  /** Pending until a code that is mailed to it comes back. */
  readonly email?: string | undefined;
  readonly displayName?: string | undefined;
}

export interface RegisterNeeds extends PostNeeds {
  now: Clock;
  registrations: AddressAttempts;
  passwords: Pick<Passwords, 'hash'>;
  newUserId(): UserId;
  putAccount: PutAccount;
  countAttempt: CountAttempt;
  putCode: PutCode;
  newCode(): string;
  verifyLink: string;
}

/**
 * Makes an account. It does not log in.
 *
 * @throws {Refusal} `username-taken`: it cannot be hidden from whoever may choose names, so it is said openly and one
 *   address may not ask often: `too-many-from-address`, with the wait; with an email `too-many-guesses` where it was sent
 *   too many mails, and `invalid-fields` where no mail can be sent
 */
export async function register(wanted: Registration, address: string, needs: RegisterNeeds): Promise<Profile> {
  const now = needs.now();
  const counted = await needs.registrations.count(address, now);
  if (!counted.mayTry) throw new Refusal('too-many-from-address', { retryAfter: counted.wait });
  if (wanted.email !== undefined) await countMail(wanted.email, needs);

  const { username, password, email, displayName } = wanted;
  const user: User = {
    id: needs.newUserId(),
    username,
    ...(displayName !== undefined && { displayName }),
    ...(email !== undefined && { pendingEmail: email }),
    status: 'active',
    roles: [],
    epoch: 0,
    passwordVersion: 1,
    createdAt: now,
  };
  const login = {
    userId: user.id,
    passwordHash: await needs.passwords.hash(password),
    passwordVersion: user.passwordVersion,
  };
  if (!(await needs.putAccount({ name: lookupName(username), login, user }))) {
    throw new Refusal('username-taken', { fields: { username: ['A user with that username already exists.'] } });
  }
  needs.note('registered', { userId: user.id });
  if (email !== undefined) await askToConfirm(user, email, needs);
  return profileOf(user);
}

/** Counted for the mailbox, so that nobody can have a stranger's filled. */
async function countMail(email: string, needs: RegisterNeeds): Promise<void> {
  if (needs.sendMail === undefined) {
    throw new Refusal('invalid-fields', { fields: { email: ['No mail can be sent here to confirm an address.'] } });
  }
  const counted = await needs.countAttempt(confirmationsTo(email), needs.now());
  if (!counted.mayTry) throw new Refusal('too-many-guesses', { retryAfter: counted.wait });
}

/** The account stands already: what goes wrong here is told to nobody, and the address can be given again. */
async function askToConfirm(user: User, email: string, needs: RegisterNeeds): Promise<void> {
  const code = needs.newCode();
  try {
    await needs.putCode(code, codeFor('verify', user, email, needs.now()));
  } catch (error) {
    needs.warn('code-not-stored', error);
    return;
  }
  await post(confirmEmail(email, user.username, needs.verifyLink, code), user.id, needs);
}
