import { FREE_ATTEMPTS } from '../domain/attempts.ts';
import type { Note, SecurityEvent } from '../domain/events.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Caller } from '../domain/standing.ts';
import type { UnixSeconds } from '../domain/time.ts';
import type { Login } from '../domain/user.ts';
import type { Passwords } from '../password/hash.ts';
import type { CountAttempt } from '../store/attempts.ts';
import type { FindLogin } from '../store/logins.ts';
import { guessesOf } from './counters.ts';

export interface GuessNeeds {
  countAttempt: CountAttempt;
  findLogin: FindLogin;
  passwords: Pick<Passwords, 'matches'>;
  note: Note;
}

/**
 * The login that the caller's current password belongs to. Counted before anything is compared, like a login, and under
 * the same name whatever the caller wants to do: whoever stole a session has these guesses and no more.
 *
 * @param name the caller's canonical username
 * @param failed the event that a wrong guess is
 * @throws {Refusal} `invalid-fields` where it is wrong; `too-many-guesses` with the wait, which only somebody who is
 *   logged in can learn; `bearer-refused` where the name leads to somebody else by now
 */
export async function guessed(
  caller: Caller,
  name: string,
  current: string,
  failed: SecurityEvent,
  needs: GuessNeeds,
  now: UnixSeconds,
): Promise<Login> {
  const counting = needs.countAttempt(guessesOf(caller.userId), now);
  const [counted, login] = await Promise.all([counting, needs.findLogin(name)]);
  if (!counted.mayTry) {
    needs.note(failed, { ...caller, reason: 'too-many-guesses' });
    throw new Refusal('too-many-guesses', { retryAfter: counted.wait });
  }
  if (login?.userId !== caller.userId) throw new Refusal('bearer-refused');
  if (await needs.passwords.matches(current, login.passwordHash)) return login;
  if (counted.failures >= FREE_ATTEMPTS) needs.note('lock', { ...caller, reason: 'wrong-password' });
  needs.note(failed, { ...caller, reason: 'wrong-password' });
  throw new Refusal('invalid-fields', { fields: { current_password: ['Invalid password.'] } });
}
