import { guessesOf } from '../shared/account/counters.ts';
import { guessed } from '../shared/account/current-password.ts';
import type { Note } from '../shared/domain/events.ts';
import type { SessionId } from '../shared/domain/ids.ts';
import { passwordFaults } from '../shared/domain/password-policy.ts';
import { Outage, Refusal } from '../shared/domain/refusal.ts';
import { newSession, type ClientPrint, type Device, type SessionLifetimes } from '../shared/domain/session.ts';
import { standing, type Caller, type StandingNeeds } from '../shared/domain/standing.ts';
import { lookupName } from '../shared/domain/username.ts';
import type { Passwords } from '../shared/password/hash.ts';
import type { ClearAttempts, CountAttempt } from '../shared/store/attempts.ts';
import type { FindLogin } from '../shared/store/logins.ts';
import type { ChangePassword } from '../shared/store/passwords.ts';
import type { MakePair, TokenPair } from '../shared/token/pair.ts';

export interface PasswordNeeds extends StandingNeeds {
  countAttempt: CountAttempt;
  clearAttempts: ClearAttempts;
  findLogin: FindLogin;
  passwords: Passwords;
  changePassword: ChangePassword;
  newSessionId(): SessionId;
  pair: MakePair;
  lifetimes: SessionLifetimes;
  /** Shortest password, in characters. */
  minimumLength: number;
  note: Note;
  /** Says that something went wrong which the caller need not know of. */
  warn(event: string, error: unknown): void;
}

/** How often a change that met another one is tried. */
const TRIES = 3;

/**
 * Changes the caller's own password. Every session ends, the caller's too: whoever else held a token of it is out. The
 * answer is the pair of a new one.
 *
 * @throws {Refusal} `bearer-refused`; `invalid-fields` where the new password will not do or the current one is wrong;
 *   `too-many-guesses` with the wait, which only somebody who is logged in can learn
 */
export async function changePassword(
  caller: Caller,
  { current, wanted }: { readonly current: string; readonly wanted: string },
  seen: { readonly client: ClientPrint; readonly device: Device },
  needs: PasswordNeeds,
): Promise<TokenPair> {
  let { user } = await standing(caller, needs);
  const faults = passwordFaults(wanted, user.username, needs.minimumLength);
  if (faults.length > 0) throw new Refusal('invalid-fields', { fields: { new_password: faults } });

  const now = needs.now();
  const name = lookupName(user.username);
  const login = await guessed(caller, name, current, 'password-change-failed', needs, now);
  const hash = await needs.passwords.hash(wanted);

  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const session = newSession({ ...user, epoch: user.epoch + 1 }, needs.newSessionId(), seen, needs.lifetimes, now);
    // Made first: without a key to sign with, nothing is to change.
    const pair = await needs.pair(user, session, now);
    if (await needs.changePassword({ name, login, user, hash, session })) {
      needs.note('password-changed', { userId: user.id, sessionId: session.sessionId });
      await needs.clearAttempts(guessesOf(user.id)).catch((error: unknown) => needs.warn('guesses-not-cleared', error));
      return pair;
    }
    // The account changed meanwhile. Where that was its password, the caller's session has ended too.
    ({ user } = await standing(caller, needs));
  }
  throw new Outage('an account under contention');
}
