import { confirmationsOf, confirmationsTo } from '../shared/account/counters.ts';
import { invalidCode } from '../shared/account/invalid-code.ts';
import { confirms, isCode } from '../shared/domain/code.ts';
import type { Note } from '../shared/domain/events.ts';
import { Outage, Refusal } from '../shared/domain/refusal.ts';
import type { Clock } from '../shared/domain/time.ts';
import type { ClearAttempts } from '../shared/store/attempts.ts';
import type { FindCode } from '../shared/store/codes.ts';
import type { VerifyEmail } from '../shared/store/emails.ts';
import type { FindUser } from '../shared/store/users.ts';

export interface VerifyEmailNeeds {
  now: Clock;
  findCode: FindCode;
  findUser: FindUser;
  verifyEmail: VerifyEmail;
  clearAttempts: ClearAttempts;
  note: Note;
  /** Says that something went wrong which the caller need not know of. */
  warn(event: string, error: unknown): void;
}

/** How often a user who changes meanwhile is read again. */
const TRIES = 3;

/**
 * Makes the address that a code was mailed to its user's own. Whoever has the code reads that mailbox, so they may be
 * told whether another account has the address already.
 *
 * @throws {Refusal} `invalid-fields` for a code that is wrong, used, expired or for an address nobody waits for any
 *   more; `email-taken`
 */
export async function verifyEmail(token: string, needs: VerifyEmailNeeds): Promise<void> {
  if (!isCode(token)) throw invalidCode();
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const code = await needs.findCode(token);
    const user = code && (await needs.findUser(code.userId));
    if (user === undefined || !confirms(code, user, needs.now())) throw invalidCode();
    const outcome = await needs.verifyEmail(token, { ...user, pendingEmail: code.address });
    if (outcome === 'used') throw invalidCode();
    if (outcome === 'taken') throw new Refusal('email-taken');
    if (outcome === 'done') {
      needs.note('email-changed', { userId: user.id, reason: 'verified' });
      const names = [confirmationsOf(user.id), confirmationsTo(code.address)];
      await Promise.all(names.map((name) => needs.clearAttempts(name))).catch((error: unknown) =>
        needs.warn('confirmations-not-cleared', error),
      );
      return;
    }
  }
  throw new Outage('a user under contention');
}
