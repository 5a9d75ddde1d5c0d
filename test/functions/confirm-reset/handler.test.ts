import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { codeFor } from '../../../functions/shared/domain/code.ts';
import { after, unixSeconds } from '../../../functions/shared/domain/time.ts';
import { newCode } from '../../../functions/shared/runtime/ids.ts';
import { codePutter } from '../../../functions/shared/store/codes.ts';
import { expectNoSecretsIn } from '../../support/secrecy.ts';
import {
  authorizerContext,
  JSON_HEADERS,
  PROBLEM_HEADERS,
  problemOf,
  startService,
  type Account,
  type Service,
} from '../../support/service.ts';
import { changeEmail, mailsTo, resetToken, verifyAddress } from '../../support/verified.ts';

const NEW = 'a horse of another colour';
const OTHER = 'a battery of yet another kind';

let service: Service;
let account: Account;
let email: string;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  account = await service.account();
  email = `ada.${randomUUID()}@example.com`;
  await verifyAddress(service, account, email);
});
afterEach(() => service.proxy.disturb(() => undefined));

const confirm = async (json: object) => {
  const { status, headers, body } = await service.call('confirm-reset', { json });
  return { status, headers, body };
};
const invalid = (fields: object) => ({
  status: 400,
  headers: PROBLEM_HEADERS,
  body: problemOf(400, 'Bad Request', 'Some fields are missing or not valid.', fields),
});
const INVALID = invalid({ token: ['Invalid or expired token.'] });
const loginStatus = async (password: string) =>
  (await service.call('login', { json: { username: account.username, password } })).status;
const stored = async () => (await service.tables.store.findUser(account.user.id))!;

describe('a reset', () => {
  test('lets the new password in, the old one no more, and ends every session', async () => {
    const pairs = [await service.login(account), await service.login(account)];
    const answer = await confirm({ token: await resetToken(service, email), new_password: NEW });
    expect(answer).toEqual({ status: 200, headers: JSON_HEADERS, body: {} });
    for (const { access, refresh } of pairs) {
      const { status, body } = await service.call('refresh', { json: { refresh } });
      expect([status, body['detail']]).toEqual([401, 'Token is blacklisted']);
      expect((await service.call('verify', { json: { token: access } })).status).toBe(401);
      expect((await service.call('profile', { authorizer: authorizerContext(access) })).status).toBe(401);
    }
    expect([await loginStatus(account.password), await loginStatus(NEW)]).toEqual([401, 200]);
  });

  test('is noted and told by mail', async () => {
    await confirm({ token: await resetToken(service, email), new_password: NEW });
    const lines = service.log.filter((line) => line.includes('"PasswordReset":1') && line.includes(account.user.id));
    expect(lines).toHaveLength(1);
    const [told] = mailsTo(service.mails, email, 'Your password was changed');
    expect(told!.text).toContain(account.username);
  });

  test('opens an account that is locked, and one whose user guessed at the old password', async () => {
    await service.lock(account);
    expect(await loginStatus(account.password)).toBe(401);
    await confirm({ token: await resetToken(service, email), new_password: NEW });
    expect(await loginStatus(NEW)).toBe(200);
  });

  test('of a form works like one of JSON', async () => {
    const form = { token: await resetToken(service, email), new_password: NEW };
    expect((await service.call('confirm-reset', { form })).status).toBe(200);
  });
});

describe('a code', () => {
  test('works once', async () => {
    const token = await resetToken(service, email);
    expect(await confirm({ token, new_password: NEW })).toMatchObject({ status: 200 });
    expect(await confirm({ token, new_password: OTHER })).toEqual(INVALID);
    expect(await loginStatus(NEW)).toBe(200);
  });

  test('that 32 use at once works for exactly one of them, whose password stands', async () => {
    const token = await resetToken(service, email);
    const passwords = Array.from({ length: 32 }, (_, at) => `password number ${at} of them`);
    const answers = await Promise.all(passwords.map((password) => confirm({ token, new_password: password })));
    const won = answers.flatMap(({ status }, at) => (status === 200 ? [at] : []));
    expect(won).toHaveLength(1);
    expect(answers.filter((_, at) => at !== won[0])).toEqual(Array(31).fill(INVALID));
    expect(await loginStatus(passwords[won[0]!]!)).toBe(200);
    expect((await stored()).passwordVersion).toBe(account.user.passwordVersion + 1);
  });

  test('dies with any other change of the password', async () => {
    const [first, second] = [await resetToken(service, email), await resetToken(service, email)];
    const authorizer = authorizerContext((await service.login(account)).access);
    const json = { current_password: account.password, new_password: OTHER };
    expect((await service.call('password', { authorizer, json })).status).toBe(200);
    for (const token of [first, second]) expect(await confirm({ token, new_password: NEW })).toEqual(INVALID);
    const third = await resetToken(service, email);
    const fourth = await resetToken(service, email);
    expect(await confirm({ token: fourth, new_password: NEW })).toMatchObject({ status: 200 });
    expect(await confirm({ token: third, new_password: NEW })).toEqual(INVALID);
  });

  test('dies with its address', async () => {
    const token = await resetToken(service, email);
    await changeEmail(service, await service.login(account), account, null);
    expect(await confirm({ token, new_password: NEW })).toEqual(INVALID);
  });

  test('of a user who is disabled by now opens nothing', async () => {
    const token = await resetToken(service, email);
    await service.tables.store.setUser({ ...(await stored()), status: 'disabled' });
    expect(await confirm({ token, new_password: NEW })).toEqual(INVALID);
  });

  test('for the verification of an address, an expired one, and one that nobody has are refused alike', async () => {
    const { client, names } = service.tables;
    const put = codePutter(client, names.users);
    const now = unixSeconds(Date.now() / 1000);
    const user = await stored();
    const [verify, expired] = [newCode(), newCode()];
    await put(verify, codeFor('verify', user, email, now));
    await put(expired, codeFor('reset', user, email, after(now, -1_800)));
    for (const token of [verify, expired, newCode(), 'x', 'x'.repeat(44)]) {
      expect(await confirm({ token, new_password: NEW })).toEqual(INVALID);
    }
    expect(await loginStatus(account.password)).toBe(200);
  });
});

describe('a password that will not do', () => {
  test.each([
    ['too short', 'This password is too short. It must contain at least 15 characters: a few words will do.'],
    [
      Array.from({ length: 129 }, (_, at) => String.fromCharCode(33 + ((at * at) % 89))).join(''),
      'This password is too long. It must contain at most 128 characters.',
    ],
    ['a\ud800 lone surrogate in it', 'Not a valid string.'],
  ])('as %j is said to be so, and the code stays good', async (new_password, message) => {
    const token = await resetToken(service, email);
    expect(await confirm({ token, new_password })).toEqual(invalid({ new_password: [message] }));
    expect(await confirm({ token, new_password: NEW })).toMatchObject({ status: 200 });
  });

  test('as the username is said to be so', async () => {
    const token = await resetToken(service, email);
    const refused = await confirm({ token, new_password: account.username.toUpperCase() });
    expect(refused).toEqual(invalid({ new_password: ['The password is the same as the username.'] }));
  });

  test('costs no hash, nor does a code that is no good', async () => {
    const before = await stored();
    await confirm({ token: newCode(), new_password: NEW });
    await confirm({ token: await resetToken(service, email), new_password: 'short' });
    expect(await stored()).toEqual(before);
  });

  test.each([
    [{}, { token: ['This field is required.'], new_password: ['This field is required.'] }],
    [
      { token: 1, new_password: null },
      { token: ['Not a valid string.'], new_password: ['This field may not be null.'] },
    ],
    [
      { token: '', new_password: '' },
      { token: ['This field may not be blank.'], new_password: ['This field may not be blank.'] },
    ],
  ])('or a body as %j names every field', async (json, fields) => {
    expect(await confirm(json)).toEqual(invalid(fields));
  });
});

test('a dead store is a 503 that leaves the code good', async () => {
  const token = await resetToken(service, email);
  for (const operation of ['GetItem', 'TransactWriteItems']) {
    service.proxy.disturb((call) => (call.operation === operation ? 'fail' : undefined));
    expect(await confirm({ token, new_password: NEW })).toMatchObject({ status: 503, headers: { 'Retry-After': '5' } });
  }
  // What was counted stays counted where it cannot be forgotten; the reset stands.
  service.proxy.disturb(({ operation }) => (operation === 'DeleteItem' ? 'fail' : undefined));
  expect(await confirm({ token, new_password: NEW })).toMatchObject({ status: 200 });
});

test('nothing secret was logged', async () => {
  const token = await resetToken(service, email);
  await confirm({ token, new_password: NEW });
  expectNoSecretsIn(service.log, service.keys, [token, NEW, account.password, account.username, email]);
});
