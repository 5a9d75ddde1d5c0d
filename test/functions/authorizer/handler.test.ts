import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { APIGatewayAuthorizerResult, APIGatewayTokenAuthorizerEvent } from 'aws-lambda';
import { publicKeysOf } from '../../../functions/shared/token/public-keys.ts';
import { aSession } from '../../support/builders.ts';
import { START } from '../../support/clock.ts';
import { segment } from '../../support/forge.ts';
import { serve, type Answer, type TestServer } from '../../support/http-server.ts';
import { logged } from '../../support/logged.ts';
import { aSecret, anIssuer, goodClaims, refreshTokensOf, TERMS, type Issuer } from '../../support/tokens.ts';
import { cookbookExamples, describeVectors, naughtyStrings, signatureVectors } from '../../support/vectors.ts';

const API = 'arn:aws:execute-api:us-east-1:123456789012:abc123/v1';

let issuer: Issuer;
let server: TestServer;
let answer: () => Answer;
let handler: (event: APIGatewayTokenAuthorizerEvent) => Promise<APIGatewayAuthorizerResult>;

/** Starts the function anew, with nothing in its memory, and waits until the fetch that it begins with was answered. */
const start = async () => {
  jest.resetModules();
  server.received.length = 0;
  ({ handler } = await import('../../../functions/authorizer/handler.ts'));
  while (server.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
};
/** Starts it where the key set's URL gives this answer. */
const startWith = async (reply: Answer) => {
  answer = () => reply;
  await start();
};

const keySet = (): Answer => ({ body: JSON.stringify(publicKeysOf([issuer.key], START)) });

/** Sets the clock to so many seconds after {@link START}. */
const setAge = (seconds: number) => jest.spyOn(Date, 'now').mockReturnValue((START + seconds) * 1000);

beforeAll(async () => {
  issuer = await anIssuer();
  server = await serve(() => answer());
  Object.assign(process.env, { ISSUER: TERMS.issuer, AUDIENCE: TERMS.audience, JWKS_URL: `${server.url}/jwks.json` });
  process.env['PATIENCE'] = '20';
});
afterAll(() => server.close());

beforeEach(async () => {
  answer = keySet;
  setAge(0);
  await start();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const good = (changes: object = {}, header: object = {}) =>
  issuer.forge({ ...issuer.header, ...header }, { ...goodClaims, ...changes });

async function decide(authorizationToken: string, route = 'GET/api/profile') {
  const event = { type: 'TOKEN', authorizationToken, methodArn: `${API}/${route}` } as const;
  const { value, lines } = await logged(() => handler(event));
  return { verdict: value, effect: value.policyDocument.Statement[0]?.Effect, lines };
}
const effectOf = async (token: string) => (await decide(`Bearer ${token}`)).effect;

const denied = {
  principalId: 'refused',
  policyDocument: {
    Version: '2012-10-17',
    Statement: [{ Action: 'execute-api:Invoke', Effect: 'Deny', Resource: `${API}/*` }],
  },
};

describe('a good token', () => {
  test('is let in to the whole API, because the gateway keeps the answer for every route', async () => {
    for (const route of ['GET/api/profile', 'DELETE/api/sessions/some/id', 'GET/']) {
      const { verdict, lines } = await decide(`Bearer ${good()}`, route);
      expect(verdict).toEqual({
        principalId: goodClaims.sub,
        policyDocument: {
          Version: '2012-10-17',
          Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: `${API}/*` }],
        },
        context: { sub: goodClaims.sub, sid: goodClaims.sid, exp: goodClaims.exp },
      });
      expect(lines).toEqual([]);
    }
  });

  test('hands on its scope and its roles, as texts, for a context takes no lists', async () => {
    const { verdict } = await decide(`Bearer ${good({ scope: 'read write', roles: ['admin', 'staff'] })}`);
    expect(verdict.context).toMatchObject({ scope: 'read write', roles: '["admin","staff"]' });
  });

  test.each(['Bearer', 'bearer', 'BEARER', 'bEaReR', 'Bearer '])('may come as %s', async (scheme) => {
    expect((await decide(`${scheme} ${good()}`)).effect).toBe('Allow');
  });

  test('is let in until the second before it ends', async () => {
    setAge(TERMS.lifetime - 1);
    expect(await effectOf(good())).toBe('Allow');
    setAge(TERMS.lifetime);
    expect(await effectOf(good())).toBe('Deny');
  });
});

describe('whatever is wrong with a token', () => {
  test.each([
    ['another issuer', { iss: 'https://issuer.example' }],
    ['another audience', { aud: 'other' }],
    ['several audiences', { aud: ['api', 'other'] }],
    ['a life that is too long', { exp: START + TERMS.lifetime + 1 }],
    ['an expiry before its making', { iat: START + 50, exp: START + 40 }],
    ['an iat 61 seconds in the future', { iat: START + 61, exp: START + 100 }],
    ['an object for sub', { sub: {} }],
    ['a sid that is no id', { sid: 'a/b' }],
    ['the type of a refresh token', { token_type: 'refresh' }],
    ['no jti', { jti: undefined }],
  ])('(%s) it is denied, not thrown, for the whole API, and nothing is handed on', async (_, claims) => {
    expect((await decide(`Bearer ${good(claims)}`)).verdict).toEqual(denied);
  });

  test.each([
    ['another typ', { typ: 'JWT' }],
    ['the typ of a refresh token', { typ: 'rt+jwt' }],
    ['no kid', { kid: undefined }],
    ['an unknown kid', { kid: 'unknown' }],
    ['a place for keys', { jku: 'https://evil.example' }],
  ])('(%s in the header) it is denied', async (_, header) => {
    expect((await decide(`Bearer ${good({}, header)}`)).verdict).toEqual(denied);
  });

  test('it is denied where it is no token of ours at all', async () => {
    const [header = '', payload = '', signature = ''] = good().split('.');
    const none = segment({ ...issuer.header, alg: 'none' });
    for (const bad of [
      '',
      'Bearer',
      'Bearer ',
      good(),
      `Basic ${good()}`,
      `Bearer\t${good()}`,
      `Bearer ${good()} x`,
      `Bearer ${good()}\n`,
      ` Bearer ${good()}`,
      `Bearer Bearer ${good()}`,
      `Bearer ${good()}=`,
      `Bearer ${header}.${payload}`,
      `Bearer ${header}.${payload}.`,
      `Bearer ${none}.${payload}.`,
      `Bearer ${none}.${payload}.${signature}`,
      `Bearer ${header}.${'A'.repeat(9_000)}.${signature}`,
      `Bearer ${'x'.repeat(1_000_000)}`,
    ]) {
      expect([bad, (await decide(bad)).verdict]).toEqual([bad, denied]);
    }
  });

  test('it is denied also where the gateway sends no text', async () => {
    const event = { type: 'TOKEN', methodArn: `${API}/GET/` } as unknown as APIGatewayTokenAuthorizerEvent;
    expect((await logged(() => handler(event))).value).toEqual(denied);
  });

  test('a refresh token is denied', async () => {
    const { make } = await refreshTokensOf(aSecret());
    expect(await effectOf(await make(aSession(), START))).toBe('Deny');
  });

  test('the log says why in one line, and nothing of the token', async () => {
    const token = good({ sub: 'hunter2', user_id: 'eve' });
    const { lines } = await decide(`Bearer ${token}`);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { timestamp: expect.any(String), level: 'INFO', event: 'bearer-refused', reason: 'token-forged' },
    ]);
    expect(lines.join('')).not.toMatch(/hunter2|eyJ/);
  });
});

describe('while no key set can be had', () => {
  test.each<[string, Answer]>([
    ['is not served', { status: 503, body: 'hunter2' }],
    ['is no key set', { body: '{"hunter2":1}' }],
    ['does not come', 'hang-up'],
  ])('(it %s) nobody is denied, for a denial is kept: it throws, and quotes nothing', async (_, reply) => {
    await startWith(reply);
    const { value: error, lines } = await logged(() =>
      handler({ type: 'TOKEN', authorizationToken: `Bearer ${good()}`, methodArn: `${API}/GET/` }).catch(
        (thrown: unknown) => thrown,
      ),
    );
    expect(error).toEqual(new Error('The authorizer could not decide.'));
    expect(error).not.toHaveProperty('cause');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(String(lines[0]))).toMatchObject({ level: 'ERROR', event: 'authorizer-failed' });
    expect(lines.join('')).not.toMatch(/hunter2|eyJ/);
  });

  test('what could never be a token of ours is denied all the same, without another fetch', async () => {
    await startWith({ status: 503 });
    expect((await decide('Bearer garbage')).verdict).toEqual(denied);
    expect(server.received).toHaveLength(1);
  });

  test('forgeries make it fetch no more than once in the cool-down', async () => {
    await startWith({ status: 503 });
    for (let number = 0; number < 20; number += 1) {
      await expect(decide(`Bearer ${good({}, { kid: `forged-${number}` })}`)).rejects.toThrow('could not decide');
    }
    // What it began with, and the first forgery.
    expect(server.received).toHaveLength(2);
  });

  test('the keys it has go on serving', async () => {
    expect(await effectOf(good())).toBe('Allow');
    answer = () => ({ status: 500 });
    setAge(600);
    expect(await effectOf(good())).toBe('Allow');
    expect(server.received).toHaveLength(2);
  });

  test('the keys it has go on serving for as long as the setting says', async () => {
    process.env['KEY_SET_USABLE_SECONDS'] = '700';
    await start();
    Reflect.deleteProperty(process.env, 'KEY_SET_USABLE_SECONDS');
    expect(await effectOf(good())).toBe('Allow');
    answer = () => ({ status: 500 });
    setAge(699);
    expect(await effectOf(good())).toBe('Allow');
    setAge(700);
    await expect(decide(`Bearer ${good()}`)).rejects.toThrow('could not decide');
  });
});

describeVectors('what others have signed, forged or written', () => {
  test('is denied, all of Wycheproof, and never thrown', async () => {
    const rows = [...signatureVectors('json_web_signature'), ...signatureVectors('json_web_crypto')];
    expect(rows).toHaveLength(450);
    for (const { name, token } of rows) {
      const { verdict, lines } = await decide(`Bearer ${token}`);
      expect({ name, verdict }).toEqual({ name, verdict: denied });
      expect(lines).toHaveLength(1);
      expect(Object.keys(JSON.parse(String(lines[0])) as object)).toEqual(['timestamp', 'level', 'event', 'reason']);
    }
    expect(await effectOf(good())).toBe('Allow');
  });

  test('is denied where it is an example of an RFC or a naughty string, as a token or as its parts', async () => {
    for (const { token } of cookbookExamples()) expect(await effectOf(token)).toBe('Deny');
    for (const text of naughtyStrings()) {
      const [, payload = '', signature = ''] = good().split('.');
      for (const bad of [text, `Bearer ${text}`, `Bearer ${segment(text)}.${payload}.${signature}`]) {
        expect([bad, (await decide(bad)).verdict]).toEqual([bad, denied]);
      }
      expect(await effectOf(good({}, { kid: text }))).toBe('Deny');
    }
  });
});

describe('the function', () => {
  test('has the key set before its first request, which fetches nothing', async () => {
    expect(server.received).toEqual([expect.objectContaining({ method: 'GET', path: '/jwks.json' })]);
    expect(await effectOf(good())).toBe('Allow');
    expect(server.received).toHaveLength(1);
  });

  test('lets its first request in also where the fetch before it failed', async () => {
    await startWith({ status: 503 });
    answer = keySet;
    expect(await effectOf(good())).toBe('Allow');
    expect(server.received).toHaveLength(2);
  });

  test('waits as long for the key set as a local run says, and two seconds elsewhere', async () => {
    for (const [PATIENCE, milliseconds] of [
      ['4', 8_000],
      ['', 2_000],
    ] as const) {
      process.env['PATIENCE'] = PATIENCE;
      const limits = jest.spyOn(AbortSignal, 'timeout');
      await start();
      expect(limits.mock.calls).toEqual([[milliseconds]]);
      limits.mockRestore();
    }
    process.env['PATIENCE'] = '20';
  });

  test('does not start without an issuer, and says so', async () => {
    process.env['ISSUER'] = '';
    await expect(start()).rejects.toThrow('Environment variables missing: ISSUER.');
    process.env['ISSUER'] = TERMS.issuer;
  });

  test('does not start with a setting out of range, and names it', async () => {
    process.env['ACCESS_TOKEN_LIFETIME_SECONDS'] = '0';
    await expect(start()).rejects.toThrow('Setting accessTokenLifetime (ACCESS_TOKEN_LIFETIME_SECONDS) must be');
    Reflect.deleteProperty(process.env, 'ACCESS_TOKEN_LIFETIME_SECONDS');
  });

  test('looks for the keys where the issuer publishes them, unless told another place', async () => {
    const { JWKS_URL } = process.env;
    process.env['JWKS_URL'] = '';
    process.env['ISSUER'] = `${server.url}/v1`;
    await start();
    expect(await effectOf(good({ iss: `${server.url}/v1` }))).toBe('Allow');
    expect(server.received).toEqual([expect.objectContaining({ path: '/v1/.well-known/jwks.json' })]);
    Object.assign(process.env, { JWKS_URL, ISSUER: TERMS.issuer });
  });
});
