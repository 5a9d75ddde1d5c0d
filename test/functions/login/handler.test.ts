import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { SessionId } from '../../../functions/shared/domain/ids.ts';
import { textIn } from '../../../functions/shared/domain/unknown.ts';
import { aLogin } from '../../support/builders.ts';
import { expectNoSecretsIn } from '../../support/secrecy.ts';
import { describeVectors, djangoHashes } from '../../support/vectors.ts';
import {
  ISSUER,
  JSON_HEADERS,
  PROBLEM_HEADERS,
  problemOf,
  startService,
  type Account,
  type Service,
} from '../../support/service.ts';

let service: Service;
let account: Account;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  account = await service.account();
});

const credentials = ({ username, password }: Account) => ({ username, password });

describe('a login', () => {
  test('answers 200 with a pair and nothing else, not to be kept', async () => {
    const { status, headers, body } = await service.call('login', { json: credentials(account) });
    expect({ status, headers, members: Object.keys(body) }).toEqual({
      status: 200,
      headers: JSON_HEADERS,
      members: ['access', 'refresh', 'device_token'],
    });
    const access = textIn(body, 'access');
    expect(decodeProtectedHeader(access)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(decodeJwt(access)).toEqual({
      iss: ISSUER,
      aud: 'latchkey',
      sub: account.user.id,
      user_id: account.user.id,
      client_id: 'latchkey',
      token_type: 'access',
      iat: expect.any(Number),
      exp: decodeJwt(access).iat! + 900,
      jti: expect.any(String),
      sid: expect.any(String),
    });
  });

  test('takes a form as well', async () => {
    const { status, body } = await service.call('login', { form: credentials(account) });
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['access', 'refresh', 'device_token']);
  });

  test('stores the device as API Gateway saw it, and when the garbage collector may come', async () => {
    const { access } = await service.login(account, {
      address: '198.51.100.9',
      userAgent: 'phone/2',
      headers: { 'X-Forwarded-For': '192.0.2.66' },
    });
    const { sub, sid, iat } = decodeJwt<{ sid: SessionId }>(access);
    expect(sub).toBe(account.user.id);
    const session = await service.tables.store.findSession(account.user.id, sid);
    expect(session).toMatchObject({
      createdAt: iat,
      expiresAt: iat! + 30 * 86_400,
      maxExpiresAt: iat! + 90 * 86_400,
      device: { address: '198.51.100.9', userAgent: 'phone/2' },
    });
    expect(session?.client).toMatch(/^[\w-]{22}$/);
  });
});

describe('a refused login', () => {
  const refused = {
    status: 401,
    headers: { ...PROBLEM_HEADERS, 'WWW-Authenticate': 'Bearer realm="api"' },
    body: problemOf(401, 'Unauthorized', 'No active account found with the given credentials', {
      code: 'no_active_account',
    }),
  };

  test('is answered byte for byte alike for every cause', async () => {
    const disabled = await service.account({ user: { ...account.user, status: 'disabled' } });
    const locked = await service.account();
    await service.lock(locked);
    const answers = [];
    for (const json of [
      { username: 'nobody-has-this', password: 'wrong' },
      { username: 'no account can have this: ⅷ', password: 'wrong' },
      { username: account.username, password: 'wrong' },
      credentials(disabled),
      credentials(locked),
    ]) {
      answers.push(await service.call('login', { json }));
    }
    expect(answers[0]).toMatchObject(refused);
    expect(answers[0]?.headers).toEqual(refused.headers);
    expect(answers[0]?.body).toEqual(refused.body);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const reasons = service.log.slice(-5).map((line) => textIn(JSON.parse(line) as Record<string, unknown>, 'reason'));
    expect(reasons).toEqual(['unknown-user', 'unknown-user', 'wrong-password', 'user-disabled', 'too-many-attempts']);
  });

  test('for a hash that names a pepper we do not have', async () => {
    await service.tables.store.setLogin(
      account.username,
      aLogin({ userId: account.user.id, passwordHash: `bcrypt-hmac-sha384:gone:$2b$04$${'N'.repeat(53)}` }),
    );
    expect(await service.call('login', { json: credentials(account) })).toMatchObject({ status: 401 });
  });
});

test('fields that are wrong are named all at once', async () => {
  const { status, headers, body } = await service.call('login', { json: { username: null } });
  expect({ status, headers, body }).toEqual({
    status: 400,
    headers: PROBLEM_HEADERS,
    body: problemOf(400, 'Bad Request', 'Some fields are missing or not valid.', {
      username: ['This field may not be null.'],
      password: ['This field is required.'],
    }),
  });
});

describeVectors('a user who comes from Django', () => {
  const hashes = djangoHashes().filter(({ password }) => password === 'correct horse battery staple');

  test.each(hashes)('with a hash of $algorithm logs in, and has one of ours from then on', async ({ encoded }) => {
    const login = await service.tables.store.findLogin(account.username);
    await service.tables.store.setLogin(account.username, { ...login!, passwordHash: encoded });
    const password = 'correct horse battery staple';
    const wrong = await service.call('login', { json: { username: account.username, password: `${password}.` } });
    expect(wrong.status).toBe(401);
    expect((await service.tables.store.findLogin(account.username))?.passwordHash).toBe(encoded);
    for (let times = 0; times < 2; times += 1) {
      expect((await service.call('login', { json: { username: account.username, password } })).status).toBe(200);
      const { passwordHash } = (await service.tables.store.findLogin(account.username))!;
      expect(passwordHash).toMatch(/^bcrypt-hmac-sha384:[\w-]+:\$2b\$04\$/);
    }
  });

  test('with a hash of each kind is among them', () => expect(hashes.length).toBeGreaterThanOrEqual(5));
});

test('nothing secret was logged', async () => {
  const { access, refresh } = await service.login(account);
  const login = await service.tables.store.findLogin(account.username);
  const hash = textIn({ ...login }, 'passwordHash');
  expectNoSecretsIn(service.log, service.keys, [account.password, account.username, hash, access, refresh]);
});
