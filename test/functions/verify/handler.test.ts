import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import { expectNoSecretsIn } from '../../support/secrecy.ts';
import {
  badToken,
  JSON_HEADERS,
  PROBLEM_HEADERS,
  problemOf,
  startService,
  type Account,
  type Service,
} from '../../support/service.ts';

let service: Service;
let account: Account;
let pair: TokenPair;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  account = await service.account();
  pair = await service.login(account);
});

const verified = async (token: unknown) => {
  const { status, headers, body } = await service.call('verify', { json: { token } });
  return { status, headers, body };
};
const good = { status: 200, headers: JSON_HEADERS, body: {} };

test('both tokens of a pair are good', async () => {
  expect(await verified(pair.access)).toEqual(good);
  expect(await verified(pair.refresh)).toEqual(good);
});

test('a form is taken as well', async () => {
  expect(await service.call('verify', { form: { token: pair.access } })).toMatchObject({ status: 200, body: {} });
});

test('both are blacklisted at once when the session is logged out', async () => {
  await service.call('blacklist', { json: { refresh: pair.refresh } });
  expect(await verified(pair.access)).toEqual(badToken('Token is blacklisted'));
  expect(await verified(pair.refresh)).toEqual(badToken('Token is blacklisted'));
});

test('both are refused at once when the user is disabled', async () => {
  await service.tables.store.setUser({ ...account.user, status: 'disabled' });
  const gone = badToken('No active account found for the given token.', 'no_active_account');
  expect(await verified(pair.access)).toEqual(gone);
  expect(await verified(pair.refresh)).toEqual(gone);
});

test('forged ones are invalid', async () => {
  for (const token of [pair.access, pair.refresh]) {
    expect(await verified(`${token.slice(0, -8)}AAAAAAAA`)).toEqual(badToken('Token is invalid'));
  }
});

test('a token is required', async () => {
  expect(await verified(undefined)).toEqual({
    status: 400,
    headers: PROBLEM_HEADERS,
    body: problemOf(400, 'Bad Request', 'Some fields are missing or not valid.', {
      token: ['This field is required.'],
    }),
  });
});

test('nothing secret was logged', async () => {
  await verified(`${pair.access.slice(0, -8)}AAAAAAAA`);
  expectNoSecretsIn(service.log, service.keys, [pair.access, pair.refresh, account.password, account.username]);
});
