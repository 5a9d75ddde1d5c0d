import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { CODE_LIFETIME_SECONDS, codeFor } from '../../../functions/shared/domain/code.ts';
import { after, unixSeconds } from '../../../functions/shared/domain/time.ts';
import { newCode } from '../../../functions/shared/runtime/ids.ts';
import { codeFinder, codePutter } from '../../../functions/shared/store/codes.ts';
import { emailFinder } from '../../../functions/shared/store/emails.ts';
import { emailKey } from '../../../functions/shared/store/schema.ts';
import { count } from '../../support/counts.ts';
import {
  authorizerContext,
  PROBLEM_HEADERS,
  problemOf,
  startService,
  type Account,
  type Service,
} from '../../support/service.ts';
import { changeEmail, nextMail, tokenIn, verifyAddress } from '../../support/verified.ts';

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
});
afterEach(() => service.proxy.disturb(() => undefined));

const verify = async (token: unknown) => {
  const { status, headers, body } = await service.call('verify-email', { json: { token } });
  return { status, headers, body };
};
const ask = async (of = account, address = email) => {
  await changeEmail(service, await service.login(of), of, address);
  return tokenIn(await nextMail(service.mails, address, 'Confirm your email address'));
};
const refusedWith = (message: string) => ({
  status: 400,
  headers: PROBLEM_HEADERS,
  body: problemOf(400, 'Bad Request', 'Some fields are missing or not valid.', { token: [message] }),
});
const invalid = refusedWith('Invalid or expired token.');
const ownerOf = (address: string) => emailFinder(service.tables.client, service.tables.names.users)(address);
const table = () => [service.tables.client, service.tables.names.users] as const;

test('a code verifies its address once', async () => {
  const token = await ask();
  expect(await verify(token)).toMatchObject({ status: 200, body: {} });
  expect(await verify(token)).toEqual(invalid);
  expect(await ownerOf(email)).toBe(account.user.id);
});

test('of many at once exactly one wins', async () => {
  const token = await ask();
  const answers = await Promise.all(Array.from({ length: count(16, 64) }, () => verify(token)));
  const statuses = answers.map(({ status }) => status);
  // A busy machine may say 503 to anybody, the one that wins too.
  const wins = statuses.filter((status) => status === 200).length;
  expect(wins).toBeLessThanOrEqual(1);
  if (!statuses.includes(503)) expect(wins).toBe(1);
  expect(statuses.filter((status) => ![200, 400, 503].includes(status))).toEqual([]);
  expect(await verify(token)).toEqual(invalid);
});

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'This field is required.'],
  ['null', null, 'This field may not be null.'],
  ['a number', 1, 'Not a valid string.'],
  ['an empty text', '', 'This field may not be blank.'],
])('%s is no code', async (_, token, message) => {
  expect(await verify(token)).toEqual(refusedWith(message));
});

test('a text that is no code never gets to the store, one that nobody was sent is looked for and refused alike', async () => {
  service.proxy.clear();
  for (const token of ['x', 'x'.repeat(42), 'x'.repeat(44), `${'x'.repeat(42)}=`, '../'.repeat(15), 'ö'.repeat(43)]) {
    expect(await verify(token)).toEqual(invalid);
  }
  expect(service.proxy.calls).toEqual([]);
  expect(await verify(newCode())).toEqual(invalid);
  expect(service.proxy.calls).toHaveLength(1);
});

test('a code is good for a day, to the second', async () => {
  const now = unixSeconds(Date.now() / 1000);
  await ask();
  const user = (await service.tables.store.findUser(account.user.id))!;
  // A minute of leeway for a machine that is slow; the second itself is held by the test of the rule.
  const [fresh, stale] = [newCode(), newCode()];
  await codePutter(...table())(fresh, codeFor('verify', user, email, after(now, 60 - CODE_LIFETIME_SECONDS.verify)));
  await codePutter(...table())(stale, codeFor('verify', user, email, after(now, -CODE_LIFETIME_SECONDS.verify)));
  expect(await verify(stale)).toEqual(invalid);
  expect(await verify(fresh)).toMatchObject({ status: 200 });
});

test('a code of an address that is not waited for any more is refused', async () => {
  const token = await ask();
  const newer = await ask(account, `new.${email}`);
  expect(await verify(token)).toEqual(invalid);
  await changeEmail(service, await service.login(account), account, null);
  expect(await verify(newer)).toEqual(invalid);
  expect(await ownerOf(email)).toBeUndefined();
});

test('a change of the password takes the address back that somebody asked for who knew the old one', async () => {
  await verifyAddress(service, account, email);
  const token = await ask(account, `thief.${email}`);
  const authorizer = authorizerContext((await service.login(account)).access);
  const json = { current_password: account.password, new_password: 'a horse of another colour' };
  expect(await service.call('password', { authorizer, json })).toMatchObject({ status: 200 });
  expect(await verify(token)).toEqual(invalid);
  expect([await ownerOf(email), await ownerOf(`thief.${email}`)]).toEqual([account.user.id, undefined]);
});

test('a code for a reset verifies nothing', async () => {
  await ask();
  const user = (await service.tables.store.findUser(account.user.id))!;
  const code = newCode();
  await codePutter(...table())(code, codeFor('reset', user, email, unixSeconds(Date.now() / 1000)));
  expect(await verify(code)).toEqual(invalid);
});

test('a user who is disabled or gone has nothing verified', async () => {
  const token = await ask();
  await service.tables.store.setUser({
    ...(await service.tables.store.findUser(account.user.id))!,
    status: 'disabled',
  });
  expect(await verify(token)).toEqual(invalid);
  const code = newCode();
  const nobody = { ...account.user, id: randomUUID() as never };
  await codePutter(...table())(code, codeFor('verify', nobody, email, unixSeconds(Date.now() / 1000)));
  expect(await verify(code)).toEqual(invalid);
});

test('an address of another account is a 409, in any case of letters, and changes nothing', async () => {
  const owner = await service.account();
  await verifyAddress(service, owner, email);
  const upper = email.toUpperCase();
  const token = await ask(account, upper);
  expect(await verify(token)).toEqual({
    status: 409,
    headers: PROBLEM_HEADERS,
    body: problemOf(409, 'Conflict', 'Another account has this email address.', { code: 'email_taken' }),
  });
  expect(await ownerOf(email)).toBe(owner.user.id);
  expect(await service.tables.store.findUser(account.user.id)).toMatchObject({ pendingEmail: upper });
  // It may be had once the other account has let it go.
  await changeEmail(service, await service.login(owner), owner, null);
  expect(await verify(token)).toMatchObject({ status: 200 });
});

test('of two accounts that wait for the same address, the first to confirm it has it', async () => {
  const other = await service.account();
  const tokens = [await ask(), await ask(other, email.toUpperCase())];
  const answers = await Promise.all(tokens.map(verify));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
});

test('what is stored of a code is its hash, and it is garbage when it expires', async () => {
  const token = await ask();
  const stored = (await codeFinder(...table())(token))!;
  expect(stored).toMatchObject({ kind: 'verify', userId: account.user.id, address: email });
  await expect(codeFinder(...table())(`${token.slice(1)}x`)).resolves.toBeUndefined();
});

test('an item of a version or kind that is not known is a defect, never a verified address', async () => {
  const { client, names } = service.tables;
  const Item = { ...emailKey(email), userId: account.user.id, schema: 99 };
  await client.send(new PutCommand({ TableName: names.users, Item }));
  await expect(ownerOf(email)).rejects.toThrow('schema is of another version');
});

test('a dead store is a 503', async () => {
  const token = await ask();
  service.proxy.disturb(() => 'fail');
  expect(await verify(token)).toMatchObject({ status: 503, headers: { 'Retry-After': '5' } });
});
