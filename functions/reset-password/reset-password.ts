import { resetsFrom, resetsTo } from '../shared/account/counters.ts';
import { post, type PostNeeds } from '../shared/account/post.ts';
import { codeFor, hasVerified } from '../shared/domain/code.ts';
import { canonicalEmail } from '../shared/domain/email.ts';
import type { EventDetails } from '../shared/domain/events.ts';
import type { Clock, UnixSeconds } from '../shared/domain/time.ts';
import { resetPassword } from '../shared/mail/letters.ts';
import type { CountAttempt } from '../shared/store/attempts.ts';
import type { PutCode } from '../shared/store/codes.ts';
import type { FindByEmail } from '../shared/store/emails.ts';
import type { FindUser } from '../shared/store/users.ts';

export interface ResetNeeds extends PostNeeds {
  now: Clock;
  countAttempt: CountAttempt;
  findByEmail: FindByEmail;
  findUser: FindUser;
  putCode: PutCode;
  newCode(): string;
  resetLink: string;
  /** Lasts as long as every answer takes. */
  pause(): Promise<void>;
}

/**
 * Mails a code to an address that somebody has verified. The caller gets the same answer at the same moment whatever
 * came of it, so that nobody learns who has an account: only the counting, which is the same for every address, is
 * waited for, and it alone can fail to the caller's knowledge.
 *
 * @param caller network address of whoever asks
 */
export async function askForReset(address: string, caller: string, needs: ResetNeeds): Promise<void> {
  const now = needs.now();
  const canonical = canonicalEmail(address);
  const counting = mayAsk(canonical, caller, now, needs);
  void counting
    .then(async (may) => {
      needs.note('password-reset-asked', may ? await mailCode(canonical, now, needs) : { reason: 'too-many-resets' });
    })
    .catch((error: unknown) => needs.warn('reset-not-mailed', error));
  await Promise.all([counting, needs.pause()]);
}

/** Counted for the address, so that no mailbox is filled, and for the caller, so that nobody tries many addresses. */
async function mayAsk(canonical: string, caller: string, now: UnixSeconds, needs: ResetNeeds): Promise<boolean> {
  const names = [resetsTo(canonical), resetsFrom(caller)];
  const counted = await Promise.all(names.map((name) => needs.countAttempt(name, now)));
  return counted.every(({ mayTry }) => mayTry);
}

/** @returns whom a code was mailed to, or why nobody got one */
async function mailCode(canonical: string, now: UnixSeconds, needs: ResetNeeds): Promise<EventDetails> {
  const userId = await needs.findByEmail(canonical);
  const user = userId && (await needs.findUser(userId));
  if (user?.email === undefined || !hasVerified(user, canonical)) return { reason: 'unknown-address' };
  if (user.status !== 'active') return { userId: user.id, reason: 'user-disabled' };
  const code = needs.newCode();
  await needs.putCode(code, codeFor('reset', user, user.email, now));
  await post(resetPassword(user.email, user.username, needs.resetLink, code), user.id, needs);
  return { userId: user.id };
}
