import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { textIn } from '../../../../functions/shared/domain/unknown.ts';
import type { TokenPair } from '../../../../functions/shared/token/pair.ts';
import type { Request } from '../../../support/events.ts';
import {
  authorizerContext,
  startService,
  type Account,
  type FunctionName,
  type Service,
} from '../../../support/service.ts';
import { nextMail, resetToken, tokenIn } from '../../../support/verified.ts';
import type { StoreCall } from '../../../support/store-proxy.ts';

let service: Service;
let account: Account;
let pair: TokenPair;

beforeAll(async () => {
  service = await startService();
  account = await service.account();
  pair = await service.login(account);
  // Once each, so that nothing is counted that only a cold start does.
  await service.call('refresh', { json: { refresh: pair.refresh } });
  await service.call('verify', { json: { token: pair.access } });
  await service.call('profile', { authorizer: authorizerContext(pair.access) });
  await service.call('blacklist', { json: { refresh: pair.refresh } });
  pair = await service.login(account);
});
afterAll(() => service.stop());

/** What a call was, without what differs from run to run. */
function shown({ operation, key, consistent, capacity, status }: StoreCall): string {
  const kind = /^[A-Z]+#/.exec(key)?.[0] ?? 'session';
  const units = capacity === undefined ? status : `${capacity} unit${capacity === 1 ? '' : 's'}`;
  return `${operation} ${kind}${consistent ? ' consistent' : ''}: ${units}`;
}

/** The calls of one request, by round trip, and the answer's status. */
async function tripsOf(name: FunctionName, request: Request): Promise<{ status: number; trips: string[][] }> {
  let status = 0;
  const trips = await service.proxy.roundTrips(async () => {
    ({ status } = await service.call(name, request));
  });
  return { status, trips: trips.map((trip) => trip.map(shown).sort()) };
}

const READ_USER = 'GetItem USER# consistent: 1 unit';
const READ_SESSION = 'GetItem session consistent: 1 unit';
const WHILE_HASHING = [READ_USER, 'Query session consistent: 1 unit'];
const WRITE_SESSION = 'UpdateItem session: 1 unit';

describe('login', () => {
  const COUNTED = [
    'GetItem LOGIN# consistent: 1 unit',
    // On the name and on the address.
    'UpdateItem ATTEMPTS#: 1 unit',
    'UpdateItem ATTEMPTS#: 1 unit',
  ];
  const STORED = ['DeleteItem ATTEMPTS#: 1 unit', 'PutItem session: 1 unit', 'UpdateItem ATTEMPTS#: 1 unit'];
  const login = (username: string, password: string) => tripsOf('login', { json: { username, password } });

  test('from a known device takes two units of writing less, as no address is counted', async () => {
    const { username, password } = account;
    const { body } = await service.call('login', { json: { username, password } });
    const json = { username, password, device_token: body['device_token'] };
    expect(await tripsOf('login', { json })).toEqual({
      status: 200,
      trips: [COUNTED.slice(0, 2), WHILE_HASHING, STORED.slice(0, 2)],
    });
  });

  test('takes three round trips: 3 units of reading and 5 of writing', async () => {
    expect(await login(account.username, account.password)).toEqual({
      status: 200,
      trips: [COUNTED, WHILE_HASHING, STORED],
    });
  });

  test('takes no more for the longest user agent and address', async () => {
    const { username, password } = account;
    const device = { userAgent: 'x'.repeat(2_000), address: '2001:0db8:85a3:0000:0000:8a2e:0370:7334' };
    const { trips } = await tripsOf('login', { json: { username, password }, ...device });
    expect(trips[2]).toContain('PutItem session: 1 unit');
  });

  test('refused takes two, the same for a name that is known and for one that is not', async () => {
    const missing = COUNTED.map((call) => call.replace('GetItem LOGIN# consistent: 1', 'GetItem LOGIN# consistent: 1'));
    const wrong = await login(account.username, 'wrong');
    expect(wrong).toEqual({ status: 401, trips: [COUNTED, WHILE_HASHING] });
    const unitsAside = (trips: string[][]) => trips.map((trip) => trip.map((call) => call.replace(/: .*/, '')));
    const unknown = await login('nobody-has-this', 'wrong');
    expect(unitsAside(unknown.trips)).toEqual(unitsAside([missing, WHILE_HASHING]));
  });

  test('locked takes the same two', async () => {
    const locked = await service.account();
    // With a session to find, as the engines do not agree on what finding none costs.
    await service.login(locked);
    await service.lock(locked);
    expect(await login(locked.username, locked.password)).toEqual({
      status: 401,
      trips: [
        ['GetItem LOGIN# consistent: 1 unit', 'UpdateItem ATTEMPTS#: 1 unit', 'UpdateItem ATTEMPTS#: 400'],
        WHILE_HASHING,
      ],
    });
  });
});

describe('refresh', () => {
  const refresh = (token: string, request: Request = {}) =>
    tripsOf('refresh', { json: { refresh: token }, ...request });

  test('takes one round trip: 1 unit of reading and 1 of writing', async () => {
    expect(await refresh(pair.refresh)).toEqual({ status: 200, trips: [[READ_USER, WRITE_SESSION]] });
  });

  test('takes no second one for the same successor again', async () => {
    const again = [READ_USER, 'UpdateItem session: 400'];
    expect(await refresh(pair.refresh)).toEqual({ status: 200, trips: [again] });
  });

  test('takes two for a fork and for a theft', async () => {
    const first = [READ_USER, 'UpdateItem session: 400'];
    const other = { address: '198.51.100.200' };
    expect(await refresh(pair.refresh, other)).toEqual({ status: 200, trips: [first, [WRITE_SESSION]] });
    const stolen = await service.login(account);
    const sub = textIn(authorizerContext(stolen.access), 'sub');
    const sessions = (await service.tables.store.listSessions(account.user.id, 50)).sessions;
    const newest = sessions.find(({ sessionId }) => sessionId === authorizerContext(stolen.access)['sid'])!;
    expect(sub).toBe(newest.userId);
    await service.tables.store.setSession({ ...newest, current: 5 as never, base: 4 });
    expect(await refresh(stolen.refresh)).toEqual({ status: 401, trips: [first, [WRITE_SESSION]] });
  });
});

test('verify takes one round trip: 2 units of reading, for either token', async () => {
  const one = { status: 200, trips: [[READ_USER, READ_SESSION]] };
  const { access, refresh } = await service.login(account);
  expect(await tripsOf('verify', { json: { token: access } })).toEqual(one);
  expect(await tripsOf('verify', { json: { token: refresh } })).toEqual(one);
});

test('profile takes one round trip: 2 units of reading', async () => {
  const { access } = await service.login(account);
  expect(await tripsOf('profile', { authorizer: authorizerContext(access) })).toEqual({
    status: 200,
    trips: [[READ_USER, READ_SESSION]],
  });
});

test('blacklist takes one round trip: 1 unit of writing', async () => {
  const { refresh } = await service.login(account);
  expect(await tripsOf('blacklist', { json: { refresh } })).toEqual({ status: 200, trips: [[WRITE_SESSION]] });
  expect(await tripsOf('blacklist', { json: { refresh } })).toEqual({
    status: 200,
    trips: [['UpdateItem session: 400']],
  });
});

describe('what never gets to the store', () => {
  test.each<[FunctionName, string]>([
    ['refresh', 'refresh'],
    ['verify', 'token'],
    ['blacklist', 'refresh'],
  ])('a forgery sent to %s', async (name, field) => {
    const { access, refresh } = await service.login(account);
    for (const token of [`${refresh.slice(0, -8)}AAAAAAAA`, `${access.slice(0, -8)}AAAAAAAA`, 'x.y.z', 'x']) {
      expect(await tripsOf(name, { json: { [field]: token } })).toEqual({ status: 401, trips: [] });
    }
  });

  test('a request without what its function needs', async () => {
    for (const name of ['login', 'refresh', 'verify', 'blacklist'] as const) {
      expect(await tripsOf(name, { json: {} })).toEqual({ status: 400, trips: [] });
    }
    expect(await tripsOf('profile', {})).toEqual({ status: 401, trips: [] });
  });
});

test('a changed name takes two', async () => {
  const { access } = await service.login(account);
  const authorizer = authorizerContext(access);
  const request = { method: 'PATCH', authorizer, json: { display_name: 'Ada' } };
  expect(await tripsOf('account', request)).toEqual({
    status: 200,
    trips: [[READ_USER, READ_SESSION], ['UpdateItem USER#: 1 unit']],
  });
});

test('a password change takes four: it is compared and hashed in between, and written as a whole', async () => {
  const owner = await service.account();
  const { access } = await service.login(owner);
  const json = { current_password: owner.password, new_password: 'a horse of another colour' };
  const { status, trips } = await tripsOf('password', { authorizer: authorizerContext(access), json });
  expect(status).toBe(200);
  expect(trips.map((trip) => trip.map((call) => call.replace(/:.*/, '')))).toEqual([
    ['GetItem USER# consistent', 'GetItem session consistent'],
    ['GetItem LOGIN# consistent', 'UpdateItem ATTEMPTS#'],
    [expect.stringContaining('TransactWriteItems')],
    ['DeleteItem ATTEMPTS#'],
  ]);
});

describe('mails', () => {
  const bare = (trips: string[][]) => trips.map((trip) => trip.map((call) => call.replace(/:.*/, '')));

  test('a new address, its verification and a reset take few round trips, each write at once or as a whole', async () => {
    const owner = await service.account();
    const email = `${owner.username}@example.com`;
    const authorizer = authorizerContext((await service.login(owner)).access);
    const json = { email, current_password: owner.password };
    const asked = await tripsOf('account', { method: 'PATCH', authorizer, json });
    expect([asked.status, bare(asked.trips)]).toEqual([
      200,
      [
        ['GetItem USER# consistent', 'GetItem session consistent'],
        ['GetItem LOGIN# consistent', 'UpdateItem ATTEMPTS#'],
        ['DeleteItem ATTEMPTS#'],
        ['UpdateItem ATTEMPTS#', 'UpdateItem ATTEMPTS#'],
        ['UpdateItem USER#'],
        ['PutItem CODE#'],
      ],
    ]);
    const token = tokenIn(await nextMail(service.mails, email, 'Confirm your email address'));
    const verified = await tripsOf('verify-email', { json: { token } });
    expect([verified.status, bare(verified.trips)]).toEqual([
      200,
      [
        ['GetItem CODE# consistent'],
        ['GetItem USER# consistent'],
        [expect.stringContaining('TransactWriteItems')],
        ['DeleteItem ATTEMPTS#', 'DeleteItem ATTEMPTS#'],
      ],
    ]);
    const reset = await resetToken(service, email);
    const confirmed = await tripsOf('confirm-reset', {
      json: { token: reset, new_password: 'a horse of another colour' },
    });
    expect([confirmed.status, bare(confirmed.trips)]).toEqual([
      200,
      [
        ['GetItem CODE# consistent'],
        ['GetItem USER# consistent'],
        [expect.stringContaining('TransactWriteItems')],
        Array(4).fill('DeleteItem ATTEMPTS#'),
      ],
    ]);
  });
});

test('every read of every function asked for what is there now', () => {
  const reads = service.proxy.calls.filter(({ operation }) => operation === 'GetItem' || operation === 'Query');
  expect(reads.length).toBeGreaterThan(20);
  expect(reads.filter(({ consistent }) => !consistent)).toEqual([]);
  const kinds = new Set(service.proxy.calls.map(({ operation }) => operation));
  expect([...kinds].sort()).toEqual(['DeleteItem', 'GetItem', 'PutItem', 'Query', 'TransactWriteItems', 'UpdateItem']);
});
