import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { textIn } from '../../../functions/shared/domain/unknown.ts';
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

const blacklisted = async (refresh: unknown) => {
  const { status, headers, body } = await service.call('blacklist', { json: { refresh } });
  return { status, headers, body };
};
const done = { status: 200, headers: JSON_HEADERS, body: {} };

test('ends the session with a token of any counter, and again says 200', async () => {
  const { body } = await service.call('refresh', { json: { refresh: pair.refresh } });
  const newest = textIn(body, 'refresh');
  expect(await blacklisted(pair.refresh)).toEqual(done);
  expect(await blacklisted(pair.refresh)).toEqual(done);
  expect(await blacklisted(newest)).toEqual(done);
  const { status, body: answer } = await service.call('refresh', { json: { refresh: newest } });
  expect({ status, detail: answer['detail'] }).toEqual({ status: 401, detail: 'Token is blacklisted' });
});

test('takes a form as well', async () => {
  expect(await service.call('blacklist', { form: { refresh: pair.refresh } })).toMatchObject({ status: 200 });
});

test('refuses what is no refresh token of ours', async () => {
  expect(await blacklisted(pair.access)).toEqual(badToken('Token has wrong type'));
  expect(await blacklisted(`${pair.refresh.slice(0, -8)}AAAAAAAA`)).toEqual(badToken('Token is invalid'));
  expect((await service.call('verify', { json: { token: pair.refresh } })).status).toBe(200);
});

test('a token is required', async () => {
  expect(await blacklisted(null)).toEqual({
    status: 400,
    headers: PROBLEM_HEADERS,
    body: problemOf(400, 'Bad Request', 'Some fields are missing or not valid.', {
      refresh: ['This field may not be null.'],
    }),
  });
});

test('nothing secret was logged', async () => {
  await blacklisted(`${pair.refresh.slice(0, -8)}AAAAAAAA`);
  expectNoSecretsIn(service.log, service.keys, [pair.access, pair.refresh, account.password, account.username]);
});
