import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Outage, Refusal } from '../../../../functions/shared/domain/refusal.ts';
import { publicKeysOf } from '../../../../functions/shared/token/public-keys.ts';
import { FETCH_TERMS, remoteKeySet, type FetchTerms } from '../../../../functions/shared/token/remote-key-set.ts';
import { verifierWith, type VerifyAccessToken } from '../../../../functions/shared/token/verify.ts';
import { UNROUTED } from '../../../../infra/endpoints.ts';
import { clockAt, START, type SetClock } from '../../../support/clock.ts';
import { serve, type Answer, type TestServer } from '../../../support/http-server.ts';
import { anIssuer, goodClaims, TERMS, type Issuer } from '../../../support/tokens.ts';

const TERMS_OF_FETCH: FetchTerms = { ...FETCH_TERMS, usableFor: 86_400 };
const { coolDown, coolDownWithoutKeys, freshFor, usableFor, answerWithin } = TERMS_OF_FETCH;

let issuer: Issuer;
let successor: Issuer;
let server: TestServer;
let clock: SetClock;
let answer: () => Answer;
let verify: VerifyAccessToken;

const setOf = (...issuers: Issuer[]): Answer => ({
  body: JSON.stringify(
    publicKeysOf(
      issuers.map(({ key }) => key),
      START,
    ),
  ),
});

const verifierAt = (url: string): VerifyAccessToken =>
  verifierWith(remoteKeySet(new URL(url), clock.now, TERMS_OF_FETCH).findKey, TERMS);

beforeAll(async () => {
  [issuer, successor] = await Promise.all([anIssuer(), anIssuer()]);
});

beforeEach(async () => {
  answer = () => setOf(issuer);
  server = await serve(() => answer());
  clock = clockAt();
  verify = verifierAt(`${server.url}/jwks.json`);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
});

const tokenOf = (from: Issuer) => from.forge(from.header, goodClaims);
const forgedToken = (number = 0) => issuer.forge({ ...issuer.header, kid: `forged-${number}` }, goodClaims);

/** What becomes of a token: `good`, why it is refused, or that nobody can tell. */
const verdictOn = (token: string): Promise<string> =>
  verify(token, START).then(
    () => 'good',
    (error: unknown) => {
      if (error instanceof Refusal) return error.reason;
      if (error instanceof Outage) return 'outage';
      throw error;
    },
  );

const fetches = () => server.received.length;

/** The time limit of the next fetch comes soon after it was received, and all that it gets until then is this. */
function givesUpOn(reply: Answer): void {
  const limit = new AbortController();
  jest.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(limit.signal);
  answer = () => {
    setTimeout(() => limit.abort(), 50);
    return reply;
  };
}

const failures: [string, Answer][] = [
  ['answers 500', { status: 500, body: 'oops' }],
  ['answers 404', { status: 404 }],
  ['redirects', { status: 302, headers: { Location: 'https://evil.example/jwks.json' } }],
  ['answers no JSON', { body: '<html>' }],
  ['answers something else', { body: '{"error":"x"}' }],
  ['answers an empty set', { body: '{"keys":[]}' }],
  ['closes the connection', 'hang-up'],
];

describe('a key set', () => {
  test('is fetched with the first token and kept for the next ones', async () => {
    expect(fetches()).toBe(0);
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
    expect(fetches()).toBe(1);
    expect(server.received[0]).toMatchObject({ method: 'GET', path: '/jwks.json' });
  });

  test('is fetched once for many tokens at once', async () => {
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => verdictOn(tokenOf(issuer))));
    expect(new Set(verdicts)).toEqual(new Set(['good']));
    expect(fetches()).toBe(1);
  });

  test('is fetched anew when it is five minutes old, and not a second before', async () => {
    await verdictOn(tokenOf(issuer));
    clock.advance(freshFor - 1);
    await verdictOn(tokenOf(issuer));
    expect(fetches()).toBe(1);
    clock.advance(1);
    await verdictOn(tokenOf(issuer));
    expect(fetches()).toBe(2);
    clock.advance(freshFor - 1);
    await verdictOn(tokenOf(issuer));
    expect(fetches()).toBe(2);
  });

  test('that was taken back is no longer served after that', async () => {
    await verdictOn(tokenOf(issuer));
    answer = () => setOf(successor);
    clock.advance(freshFor);
    expect(await verdictOn(tokenOf(issuer))).toBe('token-forged');
  });
});

describe('a kid that is not in the set', () => {
  test('makes it fetched anew, so that a new key is known at once', async () => {
    await verdictOn(tokenOf(issuer));
    answer = () => setOf(issuer, successor);
    clock.advance(coolDown);
    expect(await verdictOn(tokenOf(successor))).toBe('good');
    expect(fetches()).toBe(2);
  });

  test('makes it fetched once within the cool-down, though a thousand forged ones come', async () => {
    await verdictOn(tokenOf(issuer));
    clock.advance(coolDown);
    const forged = Array.from({ length: 500 }, (_, number) => forgedToken(number));
    for (const token of forged) expect(await verdictOn(token)).toBe('token-forged');
    const verdicts = await Promise.all(forged.map((_, number) => verdictOn(forgedToken(500 + number))));
    expect(new Set(verdicts)).toEqual(new Set(['token-forged']));
    expect(fetches()).toBe(2);
    clock.advance(coolDown - 1);
    await verdictOn(forgedToken());
    expect(fetches()).toBe(2);
    clock.advance(1);
    await verdictOn(forgedToken());
    expect(fetches()).toBe(3);
  });

  test('makes no second fetch right after the first', async () => {
    expect(await verdictOn(forgedToken())).toBe('token-forged');
    expect(await verdictOn(forgedToken(1))).toBe('token-forged');
    expect(fetches()).toBe(1);
  });

  test('shares one fetch with all that come at the same time', async () => {
    await verdictOn(tokenOf(issuer));
    clock.advance(coolDown);
    answer = () => setOf(issuer, successor);
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => verdictOn(tokenOf(successor))));
    expect(new Set(verdicts)).toEqual(new Set(['good']));
    expect(fetches()).toBe(2);
  });
});

describe.each(failures)('while the URL %s', (_, failure) => {
  test('nobody can tell, where there never was a set; and it is not asked again within the cool-down', async () => {
    answer = () => failure;
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
    expect(await verdictOn(forgedToken())).toBe('outage');
    expect(fetches()).toBe(1);
    clock.advance(coolDownWithoutKeys - 1);
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
    expect(fetches()).toBe(1);
    answer = () => setOf(issuer);
    clock.advance(1);
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
    expect(fetches()).toBe(2);
  });

  test('the old set goes on serving until the second of its greatest age, and no longer', async () => {
    await verdictOn(tokenOf(issuer));
    answer = () => failure;
    for (const [age, asked] of [
      [freshFor, 2],
      [coolDown - 1, 2],
      [1, 3],
      [usableFor - 1 - freshFor - coolDown, 4],
    ] as const) {
      clock.advance(age);
      expect(await verdictOn(tokenOf(issuer))).toBe('good');
      expect(fetches()).toBe(asked);
    }
    clock.advance(1);
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
    expect(await verdictOn(forgedToken())).toBe('outage');
    clock.advance(coolDownWithoutKeys);
    answer = () => setOf(issuer);
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
  });

  test('a thousand forged kids make it asked once in the cool-down, with an old set and without one', async () => {
    answer = () => failure;
    const forged = Array.from({ length: 500 }, (_, number) => forgedToken(number));
    for (const token of forged) expect(await verdictOn(token)).toBe('outage');
    expect(fetches()).toBe(1);
    clock.advance(coolDownWithoutKeys);
    answer = () => setOf(issuer);
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
    answer = () => failure;
    clock.advance(coolDown);
    for (const token of forged) expect(await verdictOn(token)).toBe('outage');
    expect(fetches()).toBe(3);
  });

  test('nobody can tell of a kid that is not in the old set: it may be a new key', async () => {
    await verdictOn(tokenOf(issuer));
    answer = () => failure;
    clock.advance(coolDown);
    expect(await verdictOn(tokenOf(successor))).toBe('outage');
    expect(await verdictOn(tokenOf(successor))).toBe('outage');
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
    expect(fetches()).toBe(2);
    answer = () => setOf(issuer, successor);
    clock.advance(coolDown);
    expect(await verdictOn(tokenOf(successor))).toBe('good');
  });
});

describe('a URL that does not answer in time', () => {
  test('counts as out of reach, and is left in peace for the cool-down', async () => {
    givesUpOn('never');
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
    expect(fetches()).toBe(1);
  });

  test('keeps the old set in service', async () => {
    await verdictOn(tokenOf(issuer));
    givesUpOn('never');
    clock.advance(freshFor);
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
  });

  test('is given up on also in the middle of its answer', async () => {
    givesUpOn({ body: '{"keys":[', headers: { 'Content-Length': '1000' } });
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
    expect(fetches()).toBe(1);
  });

  test('is out of reach where nobody listens at all', async () => {
    verify = verifierAt('http://127.0.0.1:1/');
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
  });
});

describe('a set that is fetched ahead', () => {
  const ahead = () => {
    const keySet = remoteKeySet(new URL(server.url), clock.now, TERMS_OF_FETCH);
    verify = verifierWith(keySet.findKey, TERMS);
    keySet.fetchAhead();
  };
  /** Until the server was asked so often. */
  const asked = async (times: number) => {
    while (fetches() < times) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  test('is there for the first token, which causes no fetch of its own', async () => {
    ahead();
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
    expect(fetches()).toBe(1);
    clock.advance(freshFor);
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
    expect(fetches()).toBe(2);
  });

  test.each(failures)('and whose URL %s is fetched by the first token once more', async (_, failure) => {
    let answers = 0;
    answer = () => ((answers += 1) === 1 ? failure : setOf(issuer));
    ahead();
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
    expect(fetches()).toBe(2);
  });

  test('and is still waited for when the first token comes is not asked for twice', async () => {
    ahead();
    await asked(1);
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
    expect(fetches()).toBe(1);
  });

  test('and never answered, as for a process that was frozen meanwhile, is fetched by the first token once more', async () => {
    givesUpOn('never');
    ahead();
    await asked(1);
    answer = () => setOf(issuer);
    expect(await verdictOn(tokenOf(issuer))).toBe('good');
    expect(fetches()).toBe(2);
  });

  test('and cannot be had twice is an outage, with no third fetch in the cool-down', async () => {
    answer = () => ({ status: 500 });
    ahead();
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
    expect(await verdictOn(tokenOf(issuer))).toBe('outage');
    expect(fetches()).toBe(2);
  });
});

test('two fetches take less time than the authorizer has, and no request waits for more than two', () => {
  expect(2 * answerWithin).toBeLessThan(UNROUTED.authorizer.timeoutSeconds);
  expect(coolDownWithoutKeys).toBeGreaterThan(answerWithin);
});

test('a key of the set that cannot be used is the fault of the set, not of the token', async () => {
  const [key] = publicKeysOf([issuer.key], START).keys;
  answer = () => ({ body: JSON.stringify({ keys: [{ ...key, x: 'AAAA' }] }) });
  expect(await verdictOn(tokenOf(issuer))).toBe('outage');
});

test('a private key in the set is not used', async () => {
  answer = () => ({ body: JSON.stringify({ keys: [{ ...issuer.key.privateJwk, kid: issuer.key.kid }] }) });
  expect(await verdictOn(tokenOf(issuer))).toBe('outage');
});
