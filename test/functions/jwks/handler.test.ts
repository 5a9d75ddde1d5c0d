import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { SIGNING_ALGORITHMS } from '../../../functions/shared/domain/settings.ts';
import { listIn, membersOf, membersOfJson } from '../../../functions/shared/domain/unknown.ts';
import { apiEvent } from '../../support/events.ts';
import { serve, type Answer, type TestServer } from '../../support/http-server.ts';
import { newKeyTexts, type KeyTexts } from '../../support/keys.ts';
import { quietly } from '../../support/logged.ts';

const ISSUER = 'https://issuer.example/v1';
const JWKS = '/.well-known/jwks.json';
const METADATA = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'];

let keys: KeyTexts;
let server: TestServer;
let answer: () => Answer;
let handler: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;

const start = async () => {
  jest.resetModules();
  ({ handler } = await import('../../../functions/jwks/handler.ts'));
};

beforeAll(async () => {
  keys = await newKeyTexts();
  server = await serve(() => answer());
  answer = () => ({ body: JSON.stringify({ Parameter: { Value: keys.published } }) });
  Object.assign(process.env, {
    ISSUER,
    PUBLIC_KEYS_PARAMETER: '/latchkey/public-keys',
    SECRETS_ENDPOINT: server.url,
    PATIENCE: '20',
    CORS_ORIGIN: 'https://app.example.org',
  });
  await start();
});
afterAll(() => server.close());

const get = (resource: string, headers: Record<string, string> = {}) =>
  handler(apiEvent({ method: 'GET', resource, headers }));

describe('the key set', () => {
  test('has what everybody needs to verify a token, and nothing to make one with', async () => {
    const { statusCode, headers, body } = await get(JWKS);
    expect([statusCode, headers?.['Content-Type']]).toEqual([200, 'application/jwk-set+json']);
    const { keys: shown } = JSON.parse(body) as { keys: object[] };
    expect(shown).toHaveLength(1);
    expect(Object.keys(shown[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    const { keys: ring } = JSON.parse(keys.signing) as { keys: { privateJwk: { d: string } }[] };
    expect(body).not.toContain(ring[0]!.privateJwk.d);
  });

  test('is read with one call and then kept', async () => {
    const before = server.received.length;
    await Promise.all(Array.from({ length: 20 }, () => get(JWKS)));
    expect(server.received.length).toBe(before);
    expect(server.received[0]).toMatchObject({
      path: '/systemsmanager/parameters/get?name=%2Flatchkey%2Fpublic-keys',
    });
  });
});

describe.each(METADATA)('the metadata at %s', (resource) => {
  test('says who issues, where the keys are and what they are for, and promises nothing that we do not have', async () => {
    const { statusCode, headers, body } = await get(resource);
    expect([statusCode, headers?.['Content-Type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(body)).toEqual({
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/.well-known/jwks.json`,
      response_types_supported: [],
      grant_types_supported: [],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256'],
      request_uri_parameter_supported: false,
    });
  });
});

describe.each([JWKS, ...METADATA])('%s', (resource) => {
  test('may be kept by anybody for five minutes and read from any origin, whatever origins may call the API', async () => {
    const { headers } = await get(resource);
    expect(headers).toMatchObject({
      'Cache-Control': 'public, max-age=300',
      'Access-Control-Allow-Origin': '*',
      'X-Content-Type-Options': 'nosniff',
      'Strict-Transport-Security': 'max-age=63072000',
    });
    // One answer for all origins, so that a cache keeps one.
    expect(headers).not.toHaveProperty('Vary');
    expect(headers?.['ETag']).toMatch(/^"[\w-]{22}"$/);
  });

  test('is not sent again to somebody who has it', async () => {
    const { headers } = await get(resource);
    const etag = String(headers?.['ETag']);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, `${etag} , "other"`, `W/"x",\tW/${etag}`, '*']) {
      const again = await get(resource, { 'if-none-match': known });
      expect([again.statusCode, again.body]).toEqual([304, '']);
      expect(again.headers).toMatchObject({
        ETag: etag,
        'Cache-Control': 'public, max-age=300',
        'Access-Control-Allow-Origin': '*',
      });
      expect(again.headers).not.toHaveProperty('Content-Type');
    }
  });

  test('is sent to somebody who has something else', async () => {
    const { headers } = await get(resource);
    const etag = String(headers?.['ETag']);
    for (const known of ['', '"other"', 'W/"other"', etag.slice(1, -1), `${etag}x`, etag.toLowerCase() + '"']) {
      expect((await get(resource, { 'If-None-Match': known })).statusCode).toBe(200);
    }
  });
});

describe('what a ring holds and others must not see', () => {
  test.each(SIGNING_ALGORITHMS)('(%s) is not in the published key set', async (alg) => {
    const { published, signing } = await newKeyTexts(alg);
    const [key] = listIn(membersOfJson(published), 'keys');
    const [ofRing] = listIn(membersOfJson(signing), 'keys');
    const expected = { ES256: ['crv', 'x', 'y'], EdDSA: ['crv', 'x'], RS256: ['e', 'n'] }[alg];
    expect(Object.keys(key ?? {}).sort()).toEqual(['alg', 'kid', 'kty', 'use', ...expected].sort());
    const hidden = Object.entries(membersOf(ofRing?.['privateJwk'])).filter(([name]) => !(name in (key ?? {})));
    expect(hidden.map(([name]) => name).sort()).toEqual(alg === 'RS256' ? ['d', 'dp', 'dq', 'p', 'q', 'qi'] : ['d']);
    for (const [, value] of hidden) expect(published).not.toContain(value);
  });
});

describe('when keys change', () => {
  test('the ETag does, too, once the kept set is five minutes old', async () => {
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now);
    await start();
    const first = await get(JWKS);
    const { published } = await newKeyTexts();
    answer = () => ({ body: JSON.stringify({ Parameter: { Value: published } }) });
    clock.mockReturnValue(now + 299_000);
    expect((await get(JWKS)).body).toBe(first.body);
    clock.mockReturnValue(now + 300_000);
    const second = await get(JWKS);
    clock.mockRestore();
    expect(second.body).toBe(published);
    expect(second.headers?.['ETag']).not.toBe(first.headers?.['ETag']);
  });
});

describe('while the parameter', () => {
  test.each<[string, Answer]>([
    ['is out of reach', { status: 500, body: 'AccessDenied: arn:aws:hunter2' }],
    ['holds no key set yet', { body: JSON.stringify({ Parameter: { Value: 'hunter2' } }) }],
    ['holds an empty one', { body: JSON.stringify({ Parameter: { Value: '{"keys":[],"hunter2":1}' } }) }],
  ])('%s, the key set is a 503 without internals, and the metadata is there', async (_, reply) => {
    await start();
    answer = () => reply;
    const { statusCode, headers, body } = await quietly(() => get(JWKS));
    expect(statusCode).toBe(503);
    expect(headers).toMatchObject({ 'Retry-After': '5', 'Content-Type': 'application/problem+json' });
    expect(headers?.['Cache-Control']).toBe('no-store');
    expect(headers?.['Access-Control-Allow-Origin']).toBe('*');
    expect(body).not.toContain('hunter2');
    expect((await get(METADATA[0]!)).statusCode).toBe(200);
  });
});

test('the function does not start without its environment, and says what is missing', async () => {
  process.env['ISSUER'] = '';
  Reflect.deleteProperty(process.env, 'PUBLIC_KEYS_PARAMETER');
  await expect(start()).rejects.toThrow('Environment variables missing: ISSUER, PUBLIC_KEYS_PARAMETER.');
});
