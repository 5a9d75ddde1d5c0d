import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectNoSecretsIn } from '../../support/secrecy.ts';
import {
  JSON_HEADERS,
  PROBLEM_HEADERS,
  problemOf,
  startService,
  type Account,
  type Service,
} from '../../support/service.ts';
import { changeEmail, mailsTo, nextMail, tokenIn, verifyAddress } from '../../support/verified.ts';

const SUBJECT = 'Choose a new password';

let service: Service;
beforeAll(async () => {
  service = await startService({ RESET_LINK: 'https://app.example/reset?token={token}' });
});
afterAll(() => service.stop());

const ask = (json: object) => service.call('reset-password', { json, address: randomUUID() });
const newEmail = () => `ada.${randomUUID()}@example.com`;
/** An account with a verified address. */
async function verified(): Promise<{ account: Account; email: string }> {
  const account = await service.account();
  const email = newEmail();
  await verifyAddress(service, account, email);
  return { account, email };
}
/** How often it was said that somebody asked. */
const asked = () => service.log.filter((line) => line.includes('"PasswordResetAsked":1'));

test('answers every address the same, byte for byte, and mails the verified one alone', async () => {
  const known = await verified();
  const disabled = await verified();
  const { store } = service.tables;
  await store.setUser({ ...(await store.findUser(disabled.account.user.id))!, status: 'disabled' });
  const unverified = newEmail();
  const waiting = await service.account();
  await changeEmail(service, await service.login(waiting), waiting, unverified);
  const limited = newEmail();
  for (let at = 0; at < 8; at += 1) await ask({ email: limited });

  const before = asked().length;
  const emails = [known.email, known.email.toUpperCase(), newEmail(), unverified, disabled.email, limited];
  const answers = [];
  for (const email of emails) answers.push(await ask({ email }));
  expect(answers).toEqual(answers.map(() => ({ status: 200, headers: JSON_HEADERS, text: '{}', body: {} })));

  // What goes on behind the answers: each comes to its end, and only then it is known who got no mail.
  while (asked().length < before + emails.length) await sleep(5);
  const reset = service.mails.filter(({ subject }) => subject === SUBJECT);
  expect(reset.map(({ to }) => to)).toEqual([[known.email], [known.email]]);
  const reasons = asked()
    .slice(before)
    .map((line) => (JSON.parse(line) as { reason?: string }).reason);
  expect(reasons.map(String).sort()).toEqual([
    'too-many-resets',
    'undefined',
    'undefined',
    'unknown-address',
    'unknown-address',
    'user-disabled',
  ]);
});

test('the mail has a link of the application with a code in it', async () => {
  const { email, account } = await verified();
  await ask({ email });
  const mail = await nextMail(service.mails, email, SUBJECT);
  expect(mail.text).toMatch(/^https:\/\/app\.example\/reset\?token=[\w-]{43}$/m);
  expect(mail.text).toContain(`"${account.username}"`);
});

test.each([
  [{}, 'This field is required.'],
  [{ email: null }, 'This field may not be null.'],
  [{ email: 3 }, 'Not a valid string.'],
  [{ email: 'nowhere' }, 'Enter a valid email address.'],
  [{ email: 'ada@example.com\r\nBcc: eve@example.com' }, 'Enter a valid email address.'],
  [{ email: `${'a'.repeat(250)}@b.co` }, 'Ensure this field has no more than 254 characters.'],
])('%j is refused with a reason', async (json, message) => {
  const { status, headers, body } = await ask(json);
  expect({ status, headers, body }).toEqual({
    status: 400,
    headers: PROBLEM_HEADERS,
    body: problemOf(400, 'Bad Request', 'Some fields are missing or not valid.', { email: [message] }),
  });
});

test('an address that is let go is asked for in vain', async () => {
  const { email, account } = await verified();
  await changeEmail(service, await service.login(account), account, null);
  const before = asked().length;
  await ask({ email });
  while (asked().length === before) await sleep(5);
  expect(mailsTo(service.mails, email, SUBJECT)).toEqual([]);
});

test('nothing secret was logged, no address that was asked for either', async () => {
  const { email } = await verified();
  await ask({ email });
  const token = tokenIn(await nextMail(service.mails, email, SUBJECT));
  expectNoSecretsIn(service.log, service.keys, [token, email]);
});
