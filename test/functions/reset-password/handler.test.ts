import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { resetsTo } from '../../../functions/shared/account/counters.ts';
import { LONGEST_WAIT_SECONDS } from '../../../functions/shared/domain/attempts.ts';
import { after } from '../../../functions/shared/domain/time.ts';
import { now } from '../../../functions/shared/runtime/clock.ts';
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

let made = 0;
const ask = async (json: object) => {
  const answer = await service.call('reset-password', { json, address: randomUUID() });
  if (answer.status === 200) made += 1;
  return answer;
};
const newEmail = () => `ada.${randomUUID()}@example.com`;
/** An account with a verified address. */
async function verified(): Promise<{ account: Account; email: string }> {
  const account = await service.account();
  const email = newEmail();
  await verifyAddress(service, account, email);
  return { account, email };
}
/** What was said of every request so far, once each of them has come to its end behind its answer. */
async function outcomes(): Promise<readonly (string | undefined)[]> {
  for (;;) {
    const asked = service.log.filter((line) => line.includes('"PasswordResetAsked":1'));
    if (asked.length === made) return asked.map((line) => (JSON.parse(line) as { reason?: string }).reason);
    await sleep(5);
  }
}

test('answers every address the same, byte for byte, and mails the verified one alone', async () => {
  const known = await verified();
  const disabled = await verified();
  const { store } = service.tables;
  await store.setUser({ ...(await store.findUser(disabled.account.user.id))!, status: 'disabled' });
  const unverified = newEmail();
  const waiting = await service.account();
  await changeEmail(service, await service.login(waiting), waiting, unverified);
  const limited = newEmail();
  // Each counts because it comes a longest wait after the one before, the last one at this moment.
  for (let earlier = 16; earlier >= 0; earlier -= 1) {
    await store.countAttempt(resetsTo(limited), after(now(), -earlier * LONGEST_WAIT_SECONDS));
  }

  const { length: before } = await outcomes();
  const emails = [known.email, known.email.toUpperCase(), newEmail(), unverified, disabled.email, limited];
  const answers = [];
  for (const email of emails) answers.push(await ask({ email }));
  expect(answers).toEqual(
    answers.map(() => ({ status: 200, headers: JSON_HEADERS, cookies: [], text: '{}', body: {} })),
  );

  const reasons = (await outcomes()).slice(before);
  const reset = service.mails.filter(({ subject }) => subject === SUBJECT);
  expect(new Set(reset.flatMap(({ to }) => to))).toEqual(new Set([known.email]));
  // A busy machine may have one of them sent twice.
  expect(new Set(reset.map(tokenIn)).size).toBe(2);
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
  await ask({ email });
  expect((await outcomes()).at(-1)).toBe('unknown-address');
  expect(mailsTo(service.mails, email, SUBJECT)).toEqual([]);
});

test('nothing secret was logged, no address that was asked for either', async () => {
  const { email } = await verified();
  await ask({ email });
  const token = tokenIn(await nextMail(service.mails, email, SUBJECT));
  expectNoSecretsIn(service.log, service.keys, [token, email]);
});
