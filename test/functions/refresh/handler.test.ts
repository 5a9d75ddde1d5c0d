import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { SessionId } from '../../../functions/shared/domain/ids.ts';
import type { Session } from '../../../functions/shared/domain/session.ts';
import { after } from '../../../functions/shared/domain/time.ts';
import { textIn } from '../../../functions/shared/domain/unknown.ts';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import { counter } from '../../support/builders.ts';
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

const refresh = (token: unknown, request: object = {}) =>
  service.call('refresh', { json: { refresh: token }, ...request });
const session = async (): Promise<Session> => {
  const { sid } = decodeJwt<{ sid: SessionId }>(pair.refresh);
  return (await service.tables.store.findSession(account.user.id, sid))!;
};

describe('a refresh', () => {
  test('answers 200 with a new pair and nothing else, not to be kept', async () => {
    const { status, headers, body } = await refresh(pair.refresh);
    expect({ status, headers, members: Object.keys(body) }).toEqual({
      status: 200,
      headers: JSON_HEADERS,
      members: ['access', 'refresh'],
    });
    expect(decodeJwt(textIn(body, 'refresh'))).toMatchObject({ sub: account.user.id, counter: 1 });
    expect(decodeJwt(textIn(body, 'access'))['sid']).toBe(decodeJwt(pair.access)['sid']);
  });

  test('takes a form, and gives the same successor again', async () => {
    const first = await refresh(pair.refresh);
    const again = await service.call('refresh', { form: { refresh: pair.refresh } });
    expect(again.status).toBe(200);
    expect(again.body['refresh']).toBe(first.body['refresh']);
  });

  test('of a lost answer from another address forks, and says so in the log without a token', async () => {
    await refresh(pair.refresh);
    const { body } = await refresh(pair.refresh, { address: '198.51.100.200' });
    const { sid, counter: count } = decodeJwt(textIn(body, 'refresh'));
    expect(count).toBe(2);
    const [fork, refreshed] = service.log.slice(-2).map((line): unknown => JSON.parse(line));
    expect(fork).toMatchObject({
      level: 'INFO',
      event: 'fork',
      userId: account.user.id,
      sessionId: sid,
      address: '198.51.100.200',
    });
    expect(refreshed).toMatchObject({ event: 'refresh', reason: 'fork', sessionId: sid });
  });
});

describe('a refused refresh', () => {
  const outcome = async (token: unknown) => {
    const { status, headers, body } = await refresh(token);
    return { status, headers, body };
  };

  test.each([
    ['no token', 'x'],
    ['a forged one', ''],
    ['a signed one that says it is', 'eyJhbGciOiJub25lIiwidHlwIjoicnQrand0Iiwia2lkIjoieCJ9.e30.AA'],
  ])('of %s', async (what, text) => {
    const token = what === 'a forged one' ? `${pair.refresh.slice(0, -8)}AAAAAAAA` : text;
    expect(await outcome(token)).toEqual(badToken('Token is invalid'));
  });

  test('of an access token', async () => {
    expect(await outcome(pair.access)).toEqual(badToken('Token has wrong type'));
  });

  test('of a session that was logged out', async () => {
    await service.call('blacklist', { json: { refresh: pair.refresh } });
    expect(await outcome(pair.refresh)).toEqual(badToken('Token is blacklisted'));
  });

  test('of a token that was used before: the session ends, and the log says why', async () => {
    const standing = await session();
    await service.tables.store.setSession({
      ...standing,
      current: counter(3),
      base: 2,
      parent: counter(2),
      rotatedAt: after(standing.createdAt, -100),
      changedAt: after(standing.createdAt, -100),
    });
    expect(await outcome(pair.refresh)).toEqual(badToken('Token is blacklisted'));
    expect((await session()).revokedAt).toEqual(expect.any(Number));
    const theft: unknown = JSON.parse(service.log.at(-1)!);
    expect(theft).toEqual({
      timestamp: expect.any(String),
      level: 'WARN',
      event: 'theft',
      requestId: expect.any(String),
      route: '/api/token/refresh',
      address: '203.0.113.7',
      userId: account.user.id,
      sessionId: standing.sessionId,
      reason: 'token-reused',
      Theft: 1,
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [{ Namespace: 'Latchkey', Dimensions: [[]], Metrics: [{ Name: 'Theft', Unit: 'Count' }] }],
      },
    });
  });

  test('of a session that has ended', async () => {
    await service.tables.store.setSession({ ...(await session()), maxExpiresAt: (await session()).createdAt });
    expect(await outcome(pair.refresh)).toEqual(badToken('Token is expired'));
  });

  test('of a user that is disabled, or gone', async () => {
    await service.tables.store.setUser({ ...account.user, status: 'disabled' });
    const gone = badToken('No active account found for the given token.', 'no_active_account');
    expect(await outcome(pair.refresh)).toEqual(gone);
  });

  test('of a user that logged out everywhere', async () => {
    await service.tables.store.raiseEpoch(account.user.id);
    expect(await outcome(pair.refresh)).toEqual(badToken('Token is blacklisted'));
  });

  test.each([
    [undefined, 'This field is required.'],
    [null, 'This field may not be null.'],
    ['', 'This field may not be blank.'],
    [7, 'Not a valid string.'],
  ])('of %j for a token', async (token, message) => {
    expect(await outcome(token)).toEqual({
      status: 400,
      headers: PROBLEM_HEADERS,
      body: problemOf(400, 'Bad Request', 'Some fields are missing or not valid.', { refresh: [message] }),
    });
  });
});

test('nothing secret was logged', async () => {
  const { body } = await refresh(pair.refresh);
  const tokens = [pair.access, pair.refresh, textIn(body, 'access'), textIn(body, 'refresh')];
  expectNoSecretsIn(service.log, service.keys, [...tokens, account.password, account.username]);
});
