import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import { expectNoSecretsIn } from '../../support/secrecy.ts';
import {
  authorizerContext,
  badToken,
  JSON_HEADERS,
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

const profile = async (authorizer: Readonly<Record<string, string | number>>) => {
  const { status, headers, body } = await service.call('profile', { authorizer });
  return { status, headers, body };
};
const refused = badToken('Given token not valid for any token type');

test('answers 200 with the caller’s own, not to be kept', async () => {
  expect(await profile(authorizerContext(pair.access))).toEqual({
    status: 200,
    headers: JSON_HEADERS,
    body: {
      id: account.user.id,
      username: account.username,
      display_name: null,
      email: null,
      email_verified: false,
      pending_email: null,
      roles: [],
      created_at: '2023-11-14T22:13:20Z',
    },
  });
});

test('is refused at once when the session is logged out', async () => {
  await service.call('blacklist', { json: { refresh: pair.refresh } });
  expect(await profile(authorizerContext(pair.access))).toEqual(refused);
});

test('is refused from the second of the token’s end on, whatever the gateway remembers', async () => {
  const now = Math.floor(Date.now() / 1000);
  expect(await profile({ ...authorizerContext(pair.access), exp: now })).toEqual(refused);
  expect((await profile({ ...authorizerContext(pair.access), exp: now + 60 })).status).toBe(200);
});

test('is refused where the authorizer said nothing of use', async () => {
  const { sub = '', sid = '', exp = 0 } = authorizerContext(pair.access);
  for (const context of [{}, { sub, exp }, { sid, exp }, { sub, sid }, { sub: 'no id!', sid, exp }]) {
    expect(await profile(context)).toEqual(refused);
  }
});

test('nothing secret was logged', async () => {
  await profile({});
  expectNoSecretsIn(service.log, service.keys, [pair.access, pair.refresh, account.password, account.username]);
});
