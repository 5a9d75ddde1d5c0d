import type { SessionId, UserId } from '../shared/domain/ids.ts';
import { Outage, Refusal } from '../shared/domain/refusal.ts';
import { newSession, type ClientPrint, type Device, type SessionLifetimes } from '../shared/domain/session.ts';
import type { Clock } from '../shared/domain/time.ts';
import type { Login, User } from '../shared/domain/user.ts';
import { lookupName } from '../shared/domain/username.ts';
import type { Passwords } from '../shared/password/hash.ts';
import type { ClearAttempts, CountAttempt } from '../shared/store/attempts.ts';
import type { FindLogin, ReplaceHash } from '../shared/store/logins.ts';
import type { PutSession } from '../shared/store/sessions.ts';
import type { FindUser } from '../shared/store/users.ts';
import type { MakePair, TokenPair } from '../shared/token/pair.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface LoginNeeds {
  now: Clock;
  countAttempt: CountAttempt;
  clearAttempts: ClearAttempts;
  findLogin: FindLogin;
  findUser: FindUser;
  passwords: Passwords;
  replaceHash: ReplaceHash;
  putSession: PutSession;
  newSessionId(): SessionId;
  pair: MakePair;
  lifetimes: SessionLifetimes;
  /** Says that something went wrong which the caller need not know of. */
  warn(event: string, error: unknown): void;
}

/** A user nobody is: what an unknown name looks up, so that it costs the same calls. */
const NOBODY = '-' as UserId;

/** A password that changes between two reads is read again this often. */
const READINGS = 3;

/**
 * Logs a device in: three round trips to the store and one password hash, whether the name is known or not.
 *
 * @throws {Refusal} `unknown-user`, `wrong-password`, `user-disabled`, `too-many-attempts`, all with one answer
 */
export async function login(
  { username, password }: Credentials,
  seen: { readonly client: ClientPrint; readonly device: Device },
  needs: LoginNeeds,
): Promise<TokenPair> {
  const now = needs.now();
  const name = lookupName(username);
  // Counted before anything is compared, so that parallel guesses cannot slip past.
  const [mayTry, found] = await Promise.all([needs.countAttempt(name, now), needs.findLogin(name)]);
  const { user, login } = await authenticated(name, password, found, mayTry, needs);

  const session = newSession(user, needs.newSessionId(), seen, needs.lifetimes, now);
  const [pair] = await Promise.all([
    needs.pair(user, session, now),
    needs.putSession(session),
    needs.clearAttempts(name).catch((error: unknown) => needs.warn('attempts-not-cleared', error)),
    rehashed(name, login, password, needs).catch((error: unknown) => needs.warn('password-not-rehashed', error)),
  ]);
  return pair;
}

async function authenticated(
  name: string,
  password: string,
  found: Login | undefined,
  mayTry: boolean,
  needs: LoginNeeds,
): Promise<{ user: User; login: Login }> {
  let login = found;
  for (let reading = 1; reading <= READINGS; reading += 1) {
    const comparing =
      login !== undefined && mayTry
        ? needs.passwords.matches(password, login.passwordHash)
        : needs.passwords.matchesNobody(password);
    // The hash takes longer than the read, so the read costs no time; every path does both.
    const [matches, user] = await Promise.all([comparing, needs.findUser(login?.userId ?? NOBODY)]);
    if (!mayTry) throw new Refusal('too-many-attempts');
    if (login === undefined || user === undefined) throw new Refusal('unknown-user');
    if (login.passwordVersion === user.passwordVersion) {
      if (!matches) throw new Refusal('wrong-password');
      if (user.status !== 'active') throw new Refusal('user-disabled');
      return { user, login };
    }
    // The password changed between the two reads: what was compared may be the old one.
    login = await needs.findLogin(name);
  }
  throw new Outage('a password that keeps changing');
}

async function rehashed(name: string, login: Login, password: string, needs: LoginNeeds): Promise<void> {
  if (await needs.passwords.isCurrent(login.passwordHash)) return;
  await needs.replaceHash(name, login, await needs.passwords.hash(password));
}
