import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { textIn } from '../../../../functions/shared/domain/unknown.ts';
import type { TokenPair } from '../../../../functions/shared/token/pair.ts';
import type { Request } from '../../../support/events.ts';
import { serve } from '../../../support/http-server.ts';
import { inTime } from '../../../support/in-time.ts';
import { expectNoSecretsIn } from '../../../support/secrecy.ts';
import {
  authorizerContext,
  PROBLEM_HEADERS,
  problemOf,
  startService,
  type Account,
  type Answer,
  type FunctionName,
  type Service,
} from '../../../support/service.ts';
import type { Fault, StoreCall } from '../../../support/store-proxy.ts';
import { undisturbed } from '../../../support/undisturbed.ts';

const WITHIN_MS = 3_000;
/** The time limits of the functions that meet an outage. */
const AS_ON_AWS = { PATIENCE: '1' };
/** Those with a request that can be sent again and again; the others are held to the same beside their own tests. */
type Repeatable = Exclude<FunctionName, 'verify-email' | 'confirm-reset'>;
const FUNCTIONS: readonly Repeatable[] = [
  'login',
  'refresh',
  'verify',
  'profile',
  'account',
  'reset-password',
  'devices',
  'password',
  'register',
  'blacklist',
];

let service: Service;
let account: Account;
let pair: TokenPair;
let requests: Readonly<Record<Repeatable, Request>>;

beforeAll(async () => {
  service = await startService();
  account = await service.account();
  pair = await service.login(account);
  requests = requestsOf(account, pair);
});
afterAll(() => service.stop());
afterEach(() => service.proxy.disturb(() => undefined));

const requestsOf = ({ username, password }: Account, { access, refresh }: TokenPair) => ({
  login: { json: { username, password } },
  refresh: { json: { refresh } },
  verify: { json: { token: access } },
  profile: { authorizer: authorizerContext(access) },
  register: { json: { username: `new-${randomUUID()}`, password: 'correct horse battery staple' } },
  account: { authorizer: authorizerContext(access), json: { display_name: 'Ada' } },
  'reset-password': { json: { email: `${username}@example.com` } },
  devices: { authorizer: authorizerContext(access) },
  password: {
    authorizer: authorizerContext(access),
    json: { current_password: password, new_password: 'another correct horse' },
  },
  blacklist: { json: { refresh } },
});

/** Logs in with the function that may say 503 to anybody on a busy machine. */
async function pairOf({ username, password }: Account): Promise<TokenPair> {
  const { body } = await undisturbed(() => service.call('login', { json: { username, password } }));
  return { access: textIn(body, 'access'), refresh: textIn(body, 'refresh') };
}

const unavailable = {
  status: 503,
  headers: { ...PROBLEM_HEADERS, 'Retry-After': '5' },
  body: problemOf(503, 'Service Unavailable', 'The service is not available at the moment. Please try again.'),
};

/** Calls every function at once. */
async function expectUnavailable(): Promise<void> {
  let got: readonly Answer[] = [];
  const restart = async () => {
    // Those that were called so often already would not try again themselves.
    for (const name of FUNCTIONS) await service.restart(name, AS_ON_AWS);
  };
  const milliseconds = await inTime(
    WITHIN_MS,
    async () => {
      got = await Promise.all(FUNCTIONS.map((name) => service.call(name, requests[name])));
    },
    restart,
  );
  for (const [at, { status, headers, body }] of got.entries()) {
    const name = FUNCTIONS[at];
    expect({ name, status, headers, body }).toEqual({ name, ...unavailable });
  }
  expect(milliseconds).toBeLessThan(WITHIN_MS);
}

describe('a dead store is a 503 within 3 s', () => {
  beforeAll(async () => {
    for (const name of FUNCTIONS) await service.restart(name, AS_ON_AWS);
    // Secrets are in memory from here on, so that only the store can be missing.
    for (const name of FUNCTIONS.filter((each) => each !== 'blacklist' && each !== 'password')) {
      await undisturbed(() => service.call(name, requests[name]));
    }
    await undisturbed(() => service.call('blacklist', { json: { refresh: 'x.x.x' } }));
    const other = await service.account();
    const { password } = requestsOf(other, await pairOf(other));
    await undisturbed(() => service.call('password', password));
  });

  test('where nothing listens', async () => {
    await service.proxy.goDown();
    try {
      await expectUnavailable();
    } finally {
      await service.proxy.comeUp();
    }
  });

  test.each<Fault>(['never', 'refuse', 'fail', 'throttle', 'cut', { delayed: 2_000 }])(
    'where each call meets %j',
    async (fault) => {
      service.proxy.disturb(() => fault);
      await expectUnavailable();
    },
  );

  test('and when it is back, so is the service', async () => {
    const other = await service.account();
    const fresh = requestsOf(other, await pairOf(other));
    for (const name of FUNCTIONS) {
      const { status } = await undisturbed(() => service.call(name, fresh[name]));
      expect([name, status]).toEqual([name, name === 'register' ? 201 : 200]);
    }
  });
});

describe('a store that fails once', () => {
  // The SDK retries no more for a while after a long outage; these clients know of none, and what they meet is no late answer.
  beforeEach(async () => {
    for (const name of FUNCTIONS) await service.restart(name);
  });

  test.each<Fault>(['refuse', 'fail', 'throttle', 'cut'])('with %j goes unnoticed', async (fault) => {
    const other = await service.account();
    const fresh = requestsOf(other, await service.login(other));
    const hurt = new Set<string>();
    service.proxy.disturb((call) => {
      const name = nameOf(call);
      if (hurt.has(name)) return undefined;
      hurt.add(name);
      return fault;
    });
    for (const name of FUNCTIONS) {
      expect([name, (await service.call(name, fresh[name])).status]).toEqual([name, name === 'register' ? 201 : 200]);
    }
    expect(hurt.size).toBeGreaterThanOrEqual(7);
  });

  const nameOf = ({ operation, table, key }: StoreCall) => `${operation} ${table} ${key}`;
});

describe('a login whose session cannot be stored', () => {
  test('gives no tokens', async () => {
    service.proxy.disturb(({ operation }) => (operation === 'PutItem' ? 'fail' : undefined));
    const { username, password } = await service.account();
    const { status, body } = await service.call('login', { json: { username, password } });
    expect(status).toBe(503);
    expect(body).not.toHaveProperty('access');
  });
});

describe('a refresh whose user cannot be read after the write', () => {
  test('is a 503, and the retry gets the successor', async () => {
    const { refresh } = await service.login(await service.account());
    service.proxy.disturb(({ operation }) => (operation === 'GetItem' ? 'fail' : undefined));
    expect((await service.call('refresh', { json: { refresh } })).status).toBe(503);
    service.proxy.disturb(() => undefined);
    const { status, body } = await service.call('refresh', { json: { refresh } });
    expect(status).toBe(200);
    expect((await service.call('verify', { json: { token: body['refresh'] } })).status).toBe(200);
  });
});

describe('secrets out of reach', () => {
  test.each(['nothing listens', 'nothing answers', 'the answer is no'])('are a 503 where %s', async (how) => {
    const server = await serve(() => (how === 'nothing answers' ? 'never' : { status: 400, body: '{}' }));
    if (how === 'nothing listens') await server.close();
    try {
      for (const name of ['login', 'refresh', 'verify', 'blacklist'] as const) {
        const start = () => service.restart(name, { ...AS_ON_AWS, SECRETS_ENDPOINT: server.url });
        await start();
        const ask = async () => {
          const { status, headers, body } = await service.call(name, requests[name]);
          expect({ name, status, headers, body }).toEqual({ name, ...unavailable });
        };
        expect(await inTime(WITHIN_MS, ask, start)).toBeLessThan(WITHIN_MS);
      }
    } finally {
      if (how !== 'nothing listens') await server.close();
    }
  });
});

test('nothing secret was logged', () => {
  const outages = service.log.filter((line) => line.includes('"outage"'));
  expect(outages.length).toBeGreaterThan(30);
  expectNoSecretsIn(service.log, service.keys, [pair.access, pair.refresh, account.password, account.username]);
});
