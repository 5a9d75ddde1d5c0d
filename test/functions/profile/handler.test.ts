import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import type { Request } from '../../support/events.ts';
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

describe('a change of the profile', () => {
  const change = async (request: Request) => {
    const { status, body } = await service.call('profile', {
      method: 'PATCH',
      authorizer: authorizerContext(pair.access),
      ...request,
    });
    return { status, body };
  };

  test('changes what is named, takes away what is null, and answers with the whole', async () => {
    const json = { display_name: 'Ada 👩‍🔬', email: 'ada@example.com' };
    const whole = { id: account.user.id, username: account.username, roles: [], ...json };
    expect(await change({ json })).toMatchObject({ status: 200, body: whole });
    const nameless = await change({ json: { display_name: null } });
    expect(nameless).toMatchObject({ status: 200, body: { ...whole, display_name: null } });
    expect(await change({ form: { display_name: 'Ada' } })).toMatchObject({ body: { ...whole, display_name: 'Ada' } });
    expect(await change({ json: {} })).toMatchObject({ status: 200, body: { ...whole, display_name: 'Ada' } });
    expect((await profile(authorizerContext(pair.access))).body).toMatchObject({ ...whole, display_name: 'Ada' });
  });

  test('names everything that is wrong at once, and changes nothing then', async () => {
    const json = { display_name: 'x'.repeat(151), email: 'nowhere', username: 'root', roles: ['admin'], __proto__: 1 };
    expect(await change({ json })).toMatchObject({
      status: 400,
      body: {
        display_name: ['Ensure this field has no more than 150 characters.'],
        email: ['Enter a valid email address.'],
        username: ['This field may not be changed.'],
        roles: ['This field may not be changed.'],
      },
    });
    expect(await change({ json: { display_name: 'Ada', status: 'active' } })).toMatchObject({ status: 400 });
    expect(await change({ body: '{"__proto__":"x"}', headers: { 'Content-Type': 'application/json' } })).toMatchObject({
      status: 400,
    });
    expect(await service.tables.store.findUser(account.user.id)).toEqual(account.user);
  });

  test.each([[3], [''], [['a']], [{}], [true]])('takes no %j for a text', async (display_name) => {
    expect(await change({ json: { display_name } })).toMatchObject({ status: 400 });
  });

  test('is refused at once to a session that has ended', async () => {
    await service.tables.store.raiseEpoch(account.user.id);
    expect(await change({ json: { display_name: 'Ada' } })).toMatchObject({ status: 401 });
    expect((await service.tables.store.findUser(account.user.id))?.displayName).toBeUndefined();
  });
});

test('nothing secret was logged', async () => {
  await profile({});
  expectNoSecretsIn(service.log, service.keys, [pair.access, pair.refresh, account.password, account.username]);
});
