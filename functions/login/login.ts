import { FREE_ATTEMPTS } from '../shared/domain/attempts.ts';
import type { Note } from '../shared/domain/events.ts';
import type { DeviceId, SessionId, UserId } from '../shared/domain/ids.ts';
import { Outage, Refusal, type Reason } from '../shared/domain/refusal.ts';
import { surplus } from '../shared/domain/session-cap.ts';
import {
  newSession,
  type ClientPrint,
  type Device,
  type Session,
  type SessionLifetimes,
} from '../shared/domain/session.ts';
import type { Clock, UnixSeconds } from '../shared/domain/time.ts';
import type { Login, User } from '../shared/domain/user.ts';
import { lookupName } from '../shared/domain/username.ts';
import type { Passwords } from '../shared/password/hash.ts';
import type { AddressAttempts } from '../shared/store/address-attempts.ts';
import type { ClearAttempts, CountAttempt, Counted } from '../shared/store/attempts.ts';
import type { FindLogin, ReplaceHash } from '../shared/store/logins.ts';
import type { ListSessions } from '../shared/store/session-list.ts';
import type { PutSession, RemoveSession } from '../shared/store/sessions.ts';
import type { FindUser } from '../shared/store/users.ts';
import type { MakeDeviceToken, ReadDeviceToken } from '../shared/token/device-token.ts';
import type { MakePair, TokenPair } from '../shared/token/pair.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** What an earlier login under this name answered, from the device that kept it. */
  readonly deviceToken?: string | undefined;
}

/** A pair, and what tells this device from a stranger's at its next login. */
export type LoginAnswer = TokenPair & { readonly device_token: string };

export interface LoginNeeds {
  now: Clock;
  countAttempt: CountAttempt;
  clearAttempts: ClearAttempts;
  /** Failed logins by address, whatever the names. */
  failures: AddressAttempts;
  readDevice: ReadDeviceToken;
  makeDevice: MakeDeviceToken;
  newDeviceId(): DeviceId;
  findLogin: FindLogin;
  findUser: FindUser;
  passwords: Passwords;
  replaceHash: ReplaceHash;
  putSession: PutSession;
  newSessionId(): SessionId;
  pair: MakePair;
  lifetimes: SessionLifetimes;
  listSessions: ListSessions;
  removeSession: RemoveSession;
  /** How many sessions a user may have. */
  sessionsPerUser: number;
  note: Note;
  /** Says that something went wrong which the caller need not know of. */
  warn(event: string, error: unknown): void;
}

/** A user nobody is: what an unknown name looks up, so that it costs the same calls. */
const NOBODY = '-' as UserId;

/** A login ends at most so many sessions more than it begins, so that a user with ever so many costs no endless read. */
const SURPLUS_AT_ONCE = 25;

const KNOWN_DEVICE = { mayTry: true } as const;

/** A password that changes between two reads is read again this often. */
const READINGS = 3;

/** Under which a device's failed logins are counted. No username has a space in it. */
const failuresOf = (device: DeviceId): string => `device ${device}`;

/**
 * Logs a device in: three round trips to the store and one password hash, whether the name is known or not.
 *
 * A device that has logged in under this name before has a counter of its own, so that no stranger can keep it out.
 *
 * @throws {Refusal} `unknown-user`, `wrong-password`, `user-disabled`, `too-many-attempts`, all with one answer;
 *   `too-many-from-address` with the wait, which depends on no name
 */
export async function login(
  { username, password, deviceToken }: Credentials,
  seen: { readonly client: ClientPrint; readonly device: Device },
  needs: LoginNeeds,
): Promise<LoginAnswer> {
  const now = needs.now();
  const name = lookupName(username);
  const { address } = seen.device;
  const known = deviceToken === undefined ? undefined : await needs.readDevice(deviceToken, name, now);
  const attempts = known === undefined ? name : failuresOf(known);
  // Counted before anything is compared, so that parallel guesses cannot slip past.
  const [fromAddress, counted, found] = await Promise.all([
    known === undefined ? needs.failures.count(address, now) : KNOWN_DEVICE,
    needs.countAttempt(attempts, now),
    needs.findLogin(name),
  ]);
  if (!fromAddress.mayTry) {
    needs.note('login-failed', { reason: 'too-many-from-address' });
    throw new Refusal('too-many-from-address', { retryAfter: fromAddress.wait });
  }
  const { user, login, sessions } = await authenticated(name, password, found, counted, needs);

  const session = newSession(user, needs.newSessionId(), seen, needs.lifetimes, now);
  const making = needs.pair(user, session, now);
  const [pair, device_token] = await Promise.all([
    making,
    needs.makeDevice(known ?? needs.newDeviceId(), name, now),
    // Only then: a login that gets no tokens leaves no session behind, and ends no other to make room for it.
    making.then(() => stored(session, sessions, user, now, needs)),
    known === undefined &&
      needs.failures.giveBack(address, now).catch((error: unknown) => needs.warn('failure-not-given-back', error)),
    needs.clearAttempts(attempts).catch((error: unknown) => needs.warn('attempts-not-cleared', error)),
    rehashed(name, login, password, needs).catch((error: unknown) => needs.warn('password-not-rehashed', error)),
  ]);
  needs.note('login', { userId: user.id, sessionId: session.sessionId });
  return { ...pair, device_token };
}

async function authenticated(
  name: string,
  password: string,
  found: Login | undefined,
  counted: Counted,
  needs: LoginNeeds,
): Promise<{ user: User; login: Login; sessions: readonly Session[] }> {
  const refuse = (reason: Reason, userId?: UserId): never => {
    if (counted.mayTry && counted.failures >= FREE_ATTEMPTS) needs.note('lock', { userId, reason });
    needs.note('login-failed', { userId, reason });
    throw new Refusal(reason);
  };
  let login = found;
  for (let reading = 1; reading <= READINGS; reading += 1) {
    const comparing =
      login !== undefined && counted.mayTry
        ? needs.passwords.matches(password, login.passwordHash)
        : needs.passwords.matchesNobody(password);
    const userId = login?.userId ?? NOBODY;
    // The hash takes longer than the reads, so they cost no time; every path does all of it.
    const [matches, user, sessions] = await Promise.all([comparing, needs.findUser(userId), sessionsOf(userId, needs)]);
    if (!counted.mayTry) return refuse('too-many-attempts', login?.userId);
    if (login === undefined || user === undefined) return refuse('unknown-user');
    if (login.passwordVersion === user.passwordVersion) {
      if (!matches) return refuse('wrong-password', user.id);
      if (user.status !== 'active') return refuse('user-disabled', user.id);
      return { user, login, sessions };
    }
    // The password changed between the two reads: what was compared may be the old one.
    login = await needs.findLogin(name);
  }
  throw new Outage('a password that keeps changing');
}

/** The sessions that the cap counts. No login fails for them. */
async function sessionsOf(userId: UserId, needs: LoginNeeds): Promise<readonly Session[]> {
  try {
    return (await needs.listSessions(userId, needs.sessionsPerUser + SURPLUS_AT_ONCE)).sessions;
  } catch (error) {
    needs.warn('sessions-not-counted', error);
    return [];
  }
}

async function stored(session: Session, others: readonly Session[], user: User, now: UnixSeconds, needs: LoginNeeds) {
  await Promise.all([
    needs.putSession(session),
    endSurplus(others, user, now, needs).catch((error: unknown) => needs.warn('surplus-not-ended', error)),
  ]);
}

/** Makes room for the session that comes. What is left over because a call failed goes at the next login. */
async function endSurplus(
  sessions: readonly Session[],
  user: User,
  now: UnixSeconds,
  needs: LoginNeeds,
): Promise<void> {
  const going = surplus(sessions, user.epoch, needs.sessionsPerUser, now);
  await Promise.all(
    going.map(async ({ session: { userId, sessionId }, wasAlive }) => {
      await needs.removeSession({ userId, sessionId });
      if (wasAlive) needs.note('session-ended', { userId, sessionId, reason: 'surplus' });
    }),
  );
}

async function rehashed(name: string, login: Login, password: string, needs: LoginNeeds): Promise<void> {
  if (await needs.passwords.isCurrent(login.passwordHash)) return;
  await needs.replaceHash(name, login, await needs.passwords.hash(password));
}
