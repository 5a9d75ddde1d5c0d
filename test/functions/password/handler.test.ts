import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { textIn } from '../../../functions/shared/domain/unknown.ts';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import { expectNoSecretsIn } from '../../support/secrecy.ts';
import {
  authorizerContext,
  badToken,
  JSON_HEADERS,
  PROBLEM_HEADERS,
  problemOf,
  startService,
  type Account,
  type Service,
} from '../../support/service.ts';

const NEW = 'a horse of another colour';

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

const change = async (json: object) => {
  const { status, headers, body } = await service.call('password', {
    authorizer: authorizerContext(pair.access),
    json,
  });
  return { status, headers, body };
};

test('answers 200 with a pair of a new session, not to be kept; the old one is out at once', async () => {
  const { status, headers, body } = await change({ current_password: account.password, new_password: NEW });
  expect({ status, headers, members: Object.keys(body) }).toEqual({
    status: 200,
    headers: JSON_HEADERS,
    members: ['access', 'refresh'],
  });
  const old = await service.call('refresh', { json: { refresh: pair.refresh } });
  expect(old.body).toMatchObject({ code: 'token_not_valid', detail: 'Token is blacklisted' });
  const fresh = { access: textIn(body, 'access'), refresh: textIn(body, 'refresh') };
  expect((await service.call('refresh', { json: { refresh: fresh.refresh } })).status).toBe(200);
  expect((await service.call('verify', { json: { token: fresh.access } })).status).toBe(200);
  await expect(service.login({ ...account, password: NEW })).resolves.toHaveProperty('access');
});

test('is refused to a session that has ended', async () => {
  await service.call('blacklist', { json: { refresh: pair.refresh } });
  const refused = await change({ current_password: account.password, new_password: NEW });
  expect(refused).toEqual(badToken('Given token not valid for any token type'));
});

describe('a change that is refused', () => {
  test.each([
    [{}, { current_password: ['This field is required.'], new_password: ['This field is required.'] }],
    [
      { current_password: null, new_password: 3 },
      { current_password: ['This field may not be null.'], new_password: ['Not a valid string.'] },
    ],
    [{ current_password: 'x', new_password: 'too short' }, { new_password: [expect.stringContaining('at least 15')] }],
    [{ current_password: 'wrong', new_password: NEW }, { current_password: ['Invalid password.'] }],
  ])('for %j says what is wrong', async (json, fields) => {
    expect(await change(json)).toEqual({
      status: 400,
      headers: PROBLEM_HEADERS,
      body: problemOf(400, 'Bad Request', 'Some fields are missing or not valid.', fields),
    });
  });

  test('for too many wrong guesses is a 429 that says when to come back', async () => {
    const wrong = { current_password: 'wrong', new_password: NEW };
    const seen: number[] = [];
    let last = await change(wrong);
    // The waits double, so that whatever the machine's speed one of them is met.
    for (; last.status === 400; last = await change(wrong)) seen.push(last.status);
    expect(seen.length).toBeGreaterThanOrEqual(5);
    expect(last).toEqual({
      status: 429,
      headers: { ...PROBLEM_HEADERS, 'Retry-After': expect.stringMatching(/^[1-9]\d*$/) },
      body: problemOf(429, 'Too Many Requests', 'Request was throttled.', { code: 'throttled' }),
    });
  });
});

test('nothing secret was logged', async () => {
  await change({ current_password: account.password, new_password: NEW });
  expectNoSecretsIn(service.log, service.keys, [account.password, account.username, NEW, pair.access, pair.refresh]);
});
