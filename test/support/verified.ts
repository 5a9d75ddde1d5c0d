import { expect } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenPair } from '../../functions/shared/token/pair.ts';
import type { LocalMail } from '../../infra/local/ses-stand-in.ts';
import { authorizerContext, type Account, type Answer, type Service } from './service.ts';

/** The token in a mail: on a line of its own, or in a link. */
export function tokenIn({ text }: LocalMail): string {
  const [token] = /(?<=^|=)[\w-]{43}$/m.exec(text) ?? [];
  if (token === undefined) throw new Error('the mail has no token in it');
  return token;
}

const MAIL_WITHIN_MS = 120_000;

/** Waits for the next mail to an address with a subject; those that were read before are passed over. */
export async function nextMail(
  mails: readonly LocalMail[],
  to: string,
  subject: string,
  passed = 0,
): Promise<LocalMail> {
  // A mail can be on its way still when the answer that hides it is there.
  for (const until = Date.now() + MAIL_WITHIN_MS; Date.now() < until;) {
    const found = mailsTo(mails, to, subject)[passed];
    if (found !== undefined) return found;
    await sleep(5);
  }
  throw new Error(`no mail came: ${subject}`);
}

export const mailsTo = (mails: readonly LocalMail[], to: string, subject: string): readonly LocalMail[] =>
  mails.filter((mail) => mail.to.includes(to) && mail.subject === subject);

/** Asks for an address as the account's own. */
export const changeEmail = (service: Service, { access }: TokenPair, account: Account, email: string | null) =>
  service.call('account', {
    authorizer: authorizerContext(access),
    json: { email, current_password: account.password },
  });

/** Gives an account a verified address, as its user would. @returns the answer to the code */
export async function verifyAddress(service: Service, account: Account, email: string): Promise<Answer> {
  const before = mailsTo(service.mails, email, 'Confirm your email address').length;
  const asked = await changeEmail(service, await service.login(account), account, email);
  expect(asked.status).toBe(200);
  const mail = await nextMail(service.mails, email, 'Confirm your email address', before);
  return service.call('verify-email', { json: { token: tokenIn(mail) } });
}

/** Asks for a reset and reads the mail. @returns the token in it */
export async function resetToken(service: Service, email: string): Promise<string> {
  const before = mailsTo(service.mails, email, 'Choose a new password').length;
  // Each from a network of its own, so that no test uses another's tries up.
  const address = `2001:db8:${randomBytes(2).toString('hex')}:${randomBytes(2).toString('hex')}::1`;
  await service.call('reset-password', { json: { email }, address });
  return tokenIn(await nextMail(service.mails, email, 'Choose a new password', before));
}
