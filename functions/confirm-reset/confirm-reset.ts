import { guessesOf, resetsFrom, resetsTo } from '../shared/account/counters.ts';
import { invalidCode } from '../shared/account/invalid-code.ts';
import { post, type PostNeeds } from '../shared/account/post.ts';
import { isCode, opens } from '../shared/domain/code.ts';
import { passwordFaults } from '../shared/domain/password-policy.ts';
import { Outage, Refusal } from '../shared/domain/refusal.ts';
import type { Clock } from '../shared/domain/time.ts';
import type { User } from '../shared/domain/user.ts';
import { lookupName } from '../shared/domain/username.ts';
import { passwordWasReset } from '../shared/mail/letters.ts';
import type { Passwords } from '../shared/password/hash.ts';
import type { ClearAttempts } from '../shared/store/attempts.ts';
import type { FindCode } from '../shared/store/codes.ts';
import type { ResetPassword } from '../shared/store/resets.ts';
import type { FindUser } from '../shared/store/users.ts';

export interface ConfirmNeeds extends PostNeeds {
  now: Clock;
  findCode: FindCode;
  findUser: FindUser;
  passwords: Pick<Passwords, 'hash'>;
  resetPassword: ResetPassword;
  clearAttempts: ClearAttempts;
  /** Shortest password, in characters. */
  minimumLength: number;
}

/** How often an account that changes meanwhile is read again. */
const TRIES = 3;

/**
 * Gives the user that a code was mailed to another password. Every session ends. A password that will not do leaves the
 * code as good as it was.
 *
 * @param caller network address of whoever asks
 * @throws {Refusal} `invalid-fields` for a password that will not do, and for a code that is wrong, used, expired, or
 *   of a password or address that is not the present one
 */
export async function confirmReset(
  { token, wanted }: { readonly token: string; readonly wanted: string },
  caller: string,
  needs: ConfirmNeeds,
): Promise<void> {
  if (!isCode(token)) throw invalidCode();
  let hash: string | undefined;
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const code = await needs.findCode(token);
    const user = code && (await needs.findUser(code.userId));
    if (user?.email === undefined || !opens(code, user, needs.now())) throw invalidCode();
    const faults = passwordFaults(wanted, user.username, needs.minimumLength);
    if (faults.length > 0) throw new Refusal('invalid-fields', { fields: { new_password: faults } });

    const name = lookupName(user.username);
    hash ??= await needs.passwords.hash(wanted);
    const outcome = await needs.resetPassword({ code: token, name, user: { ...user, email: user.email }, hash });
    if (outcome === 'used') throw invalidCode();
    if (outcome === 'done') {
      needs.note('password-reset', { userId: user.id });
      await Promise.all([
        startOver(user, name, code.address, caller, needs),
        post(passwordWasReset(user.email, user.username), user.id, needs),
      ]);
      return;
    }
  }
  throw new Outage('an account under contention');
}

/** Whoever reads the user's mail is no guesser: what was counted against the account is forgotten. */
async function startOver(
  user: User,
  name: string,
  address: string,
  caller: string,
  needs: ConfirmNeeds,
): Promise<void> {
  const names = [name, guessesOf(user.id), resetsTo(address), resetsFrom(caller)];
  await Promise.all(names.map((each) => needs.clearAttempts(each))).catch((error: unknown) =>
    needs.warn('attempts-not-cleared', error),
  );
}
