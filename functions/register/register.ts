import type { Note } from '../shared/domain/events.ts';
import type { UserId } from '../shared/domain/ids.ts';
import { profileOf, type Profile } from '../shared/domain/profile.ts';
import { Refusal } from '../shared/domain/refusal.ts';
import type { Clock } from '../shared/domain/time.ts';
import type { User } from '../shared/domain/user.ts';
import { lookupName } from '../shared/domain/username.ts';
import type { Passwords } from '../shared/password/hash.ts';
import type { AddressAttempts } from '../shared/store/address-attempts.ts';
import type { PutAccount } from '../shared/store/logins.ts';

/** What somebody who signs up says; checked against the rules of each field. */
export interface Registration {
  readonly username: string;
  readonly password: string;
  readonly email?: string | undefined;
  readonly displayName?: string | undefined;
}

export interface RegisterNeeds {
  now: Clock;
  registrations: AddressAttempts;
  passwords: Pick<Passwords, 'hash'>;
  newUserId(): UserId;
  putAccount: PutAccount;
  note: Note;
}

/**
 * Makes an account. It does not log in.
 *
 * @throws {Refusal} `username-taken`: it cannot be hidden from whoever may choose names, so it is said openly and one
 *   address may not ask often: `too-many-from-address`, with the wait
 */
export async function register(wanted: Registration, address: string, needs: RegisterNeeds): Promise<Profile> {
  const now = needs.now();
  const counted = await needs.registrations.count(address, now);
  if (!counted.mayTry) throw new Refusal('too-many-from-address', { retryAfter: counted.wait });

  const { username, password, email, displayName } = wanted;
  const user: User = {
    id: needs.newUserId(),
    username,
    ...(displayName !== undefined && { displayName }),
    ...(email !== undefined && { email }),
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
  return profileOf(user);
}
