import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { setStatus } from '../../infra/cli/accounts.ts';
import { openApiDocument } from '../../infra/openapi/document.ts';
import { count } from '../support/counts.ts';
import { aGateway, PASSWORD, type TestGateway } from '../support/local-gateway.ts';

let api: TestGateway;

beforeAll(async () => {
  api = await aGateway();
  await api.user('Ada');
}, 60_000);
afterAll(() => api.close());

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe('the main job, over HTTP with the deployed bundles', () => {
  test('logs in, calls a protected API and gets a new pair', async () => {
    const { access, refresh } = await api.login('ada');
    expect(decodeProtectedHeader(access)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(decodeJwt(access).iss).toBe(api.url);

    const profile = await api.get('/api/profile', bearer(access));
    expect(profile.status).toBe(200);
    expect(profile.body).toMatchObject({ username: 'Ada', roles: [] });

    const renewed = await api.post('/api/token/refresh', { refresh });
    expect(renewed.status).toBe(200);
    expect(renewed.body['refresh']).not.toBe(refresh);
    expect(renewed.headers.get('cache-control')).toBe('no-store');
    expect((await api.get('/api/profile', bearer(String(renewed.body['access'])))).status).toBe(200);
  });

  test('gives the same successor to a refresh token that comes again within 30 seconds', async () => {
    const { refresh } = await api.login('ada');
    const first = await api.post('/api/token/refresh', { refresh });
    const again = await api.post('/api/token/refresh', { refresh });
    expect(again.status).toBe(200);
    expect(again.body['refresh']).toBe(first.body['refresh']);
  });

  test('refuses a missing, a garbage and a refresh token at a protected API, with the challenge', async () => {
    const { refresh } = await api.login('ada');
    const none = await api.get('/api/profile');
    expect(none.status).toBe(401);
    expect(none.body['detail']).toBe('Authentication credentials were not provided.');
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="api"');
    for (const token of ['garbage', refresh]) {
      const refused = await api.get('/api/profile', bearer(token));
      expect(refused.status).toBe(401);
      expect(refused.body).toMatchObject({
        code: 'token_not_valid',
        detail: 'Given token not valid for any token type',
      });
      expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="api", error="invalid_token"');
    }
  });

  test('ends a session with blacklist, at once and for good', async () => {
    const { access, refresh } = await api.login('ada');
    expect((await api.post('/api/token/verify', { token: access })).status).toBe(200);
    expect((await api.post('/api/token/verify', { token: refresh })).status).toBe(200);
    expect(await api.post('/api/token/blacklist', { refresh })).toMatchObject({ status: 200, text: '{}' });
    expect((await api.post('/api/token/blacklist', { refresh })).status).toBe(200);
    const dead = await api.post('/api/token/refresh', { refresh });
    expect(dead.status).toBe(401);
    expect(dead.body).toMatchObject({ code: 'token_not_valid', detail: 'Token is blacklisted' });
    expect((await api.post('/api/token/verify', { token: access })).status).toBe(401);
    expect((await api.get('/api/profile', bearer(access))).status).toBe(401);
  });

  test('refuses an unknown name, a wrong password and a disabled account with the same bytes', async () => {
    await api.user('bob');
    await setStatus(api.access, 'bob', 'disabled');
    const answers = await Promise.all([
      api.post('/api/token', { username: 'nobody-here', password: PASSWORD }),
      api.post('/api/token', { username: 'ada', password: 'not the password of ada' }),
      api.post('/api/token', { username: 'bob', password: PASSWORD }),
    ]);
    for (const { status, text } of answers) {
      expect(status).toBe(401);
      expect(text).toBe(answers[0].text);
    }
    expect(answers[0].body['detail']).toBe('No active account found with the given credentials');
  });

  test('ends every session of a user who is disabled', async () => {
    await api.user('carol');
    const { access, refresh } = await api.login('carol');
    await setStatus(api.access, 'carol', 'disabled');
    expect((await api.get('/api/profile', bearer(access))).status).toBe(401);
    expect((await api.post('/api/token/refresh', { refresh })).status).toBe(401);
    await setStatus(api.access, 'carol', 'active');
    expect((await api.post('/api/token/refresh', { refresh })).status).toBe(401);
  });

  test('sends a path with a trailing slash to the one without, and names the methods a path takes', async () => {
    const moved = await api.post('/api/token/?next=1', { username: 'ada', password: PASSWORD });
    expect(moved.status).toBe(308);
    expect(moved.headers.get('location')).toBe('/api/token?next=1');
    const wrong = await api.get('/api/token');
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('POST');
    expect(wrong.body['detail']).toBe('Method "GET" not allowed.');
    expect((await api.get('/nowhere')).status).toBe(404);
  });

  test('takes forms as well as JSON, and nothing else', async () => {
    const form = new URLSearchParams({ username: 'ada', password: PASSWORD });
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expect((await api.post('/api/token', form.toString(), type)).status).toBe(200);
    const xml = await api.post('/api/token', '<a/>', { 'Content-Type': 'application/xml' });
    expect(xml.status).toBe(415);
    expect(xml.body['detail']).toBe('Unsupported media type "application/xml" in request.');
  });

  test('names every field that is missing, all at once', async () => {
    const answer = await api.post('/api/token', {});
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      username: ['This field is required.'],
      password: ['This field is required.'],
    });
  });

  test('publishes its keys and metadata under the issuer that its tokens name', async () => {
    const keys = await api.get('/.well-known/jwks.json');
    expect(keys.headers.get('content-type')).toBe('application/jwk-set+json');
    expect(keys.text).not.toContain('"d"');
    const again = await api.get('/.well-known/jwks.json', { 'If-None-Match': keys.headers.get('etag') ?? '' });
    expect(again.status).toBe(304);
    for (const name of ['openid-configuration', 'oauth-authorization-server']) {
      const { body } = await api.get(`/.well-known/${name}`);
      expect(body).toMatchObject({ issuer: api.url, jwks_uri: `${api.url}/.well-known/jwks.json` });
    }
  });

  test('serves the description of itself', async () => {
    const { status, body } = await api.get('/openapi.json');
    expect(status).toBe(200);
    expect(body).toEqual(openApiDocument());
  });

  test('answers many refreshes with one token at once with one successor', async () => {
    const { refresh } = await api.login('ada');
    const answers = await Promise.all(
      Array.from({ length: count(50, 200) }, () => api.post('/api/token/refresh', { refresh })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body['refresh'])).size).toBe(1);
  });

  test('lists the devices of a user and ends one, the others or all of them', async () => {
    await api.user('dave');
    await api.user('eve');
    const [phone, laptop, stranger] = [await api.login('dave'), await api.login('dave'), await api.login('eve')];
    const list = await api.get('/api/sessions', bearer(laptop.access));
    expect(list.status).toBe(200);
    const results = list.body['results'] as { id: string; current: boolean }[];
    expect(results.map(({ id }) => id)).toEqual([decodeJwt(laptop.access)['sid'], decodeJwt(phone.access)['sid']]);
    expect(results.map(({ current }) => current)).toEqual([true, false]);

    const end = (path: string, token: string) =>
      fetch(`${api.url}${path}`, { method: 'DELETE', headers: bearer(token) }).then(({ status }) => status);
    expect(await end(`/api/sessions/${String(decodeJwt(stranger.access)['sid'])}`, laptop.access)).toBe(404);
    expect(await end(`/api/sessions/${String(decodeJwt(phone.access)['sid'])}`, laptop.access)).toBe(204);
    expect((await api.post('/api/token/refresh', { refresh: phone.refresh })).status).toBe(401);
    expect((await api.get('/api/profile', bearer(stranger.access))).status).toBe(200);

    const tablet = await api.login('dave');
    expect(await end('/api/sessions?except=everything', laptop.access)).toBe(400);
    expect(await end('/api/sessions?except=current', laptop.access)).toBe(204);
    expect((await api.post('/api/token/refresh', { refresh: tablet.refresh })).status).toBe(401);
    expect((await api.post('/api/token/refresh', { refresh: laptop.refresh })).status).toBe(200);
    expect(await end('/api/sessions', laptop.access)).toBe(204);
    expect((await api.get('/api/sessions', bearer(laptop.access))).status).toBe(401);
  });

  test('writes no token, password or key into its logs', async () => {
    const { access, refresh } = await api.login('ada');
    await api.get('/api/profile', bearer(`${access}x`));
    await api.post('/api/token/refresh', { refresh: `${refresh}x` });
    const lines = api.logs.join('\n');
    expect(lines).toContain('"refused"');
    for (const secret of [access.slice(-40), refresh.slice(-40), PASSWORD]) expect(lines).not.toContain(secret);
    for (const line of api.logs) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });
});

test('an access token stops at the second it expires', async () => {
  const short = await aGateway({ ACCESS_TOKEN_LIFETIME_SECONDS: '5' });
  try {
    await short.user('ada');
    // Every function has started once before the five seconds begin.
    await short.get('/api/profile', bearer((await short.login('ada')).access));
    const { access } = await short.login('ada');
    expect((await short.get('/api/profile', bearer(access))).status).toBe(200);
    const left = Number(decodeJwt(access).exp) * 1000 - Date.now();
    await new Promise((resolve) => setTimeout(resolve, left + 20));
    expect((await short.get('/api/profile', bearer(access))).status).toBe(401);
  } finally {
    await short.close();
  }
}, 60_000);
