import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as oauth from 'oauth4webapi';
import { setStatus } from '../../infra/cli/accounts.ts';
import { openApiDocument } from '../../infra/openapi/document.ts';
import { count } from '../support/counts.ts';
import { aGateway, PASSWORD, type TestAnswer, type TestGateway } from '../support/local-gateway.ts';

let api: TestGateway;

const APP = 'https://app.example.org';

beforeAll(async () => {
  api = await aGateway({ CORS_ORIGIN: `https://www.example.org ${APP}` });
  await api.user('Ada');
});
afterAll(() => api.close());

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** The answer to a request that comes again, as a client's would, while a machine that is very busy gives 503s. */
async function unlessBusy(ask: () => Promise<TestAnswer>): Promise<TestAnswer> {
  for (let asked = 1; ; asked += 1) {
    const answer = await ask();
    if (answer.status !== 503 || asked === 20) return answer;
    expect(answer.headers.get('retry-after')).toBe('5');
    await sleep(200);
  }
}

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

  test('lets others verify its tokens with nothing but its URL and the name of the audience', async () => {
    const { access, refresh } = await api.login('ada');
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to stand out; the local gateway speaks HTTP
    const options = { [oauth.allowInsecureRequests]: true };
    const url = new URL(api.url);
    const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options));
    const verify = (token: string) =>
      oauth.validateJwtAccessToken(server, new Request(url, { headers: bearer(token) }), 'latchkey', options);
    expect(await verify(access)).toMatchObject({ iss: api.url, client_id: 'latchkey', token_type: 'access' });
    await expect(verify(refresh)).rejects.toThrow();
  });

  test('serves the description of itself', async () => {
    const { status, headers, body } = await api.get('/openapi.json');
    expect(status).toBe(200);
    expect(body).toEqual(openApiDocument());
    const again = await api.get('/openapi.json', { 'If-None-Match': headers.get('etag') ?? '' });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  test('shows that description as a page, with all that the page loads', async () => {
    // Not `api.get`, which holds answers to the description: the page is no part of it.
    const page = await fetch(`${api.url}/docs/`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
    const loaded = [...(await page.text()).matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, address]) => address!);
    expect(loaded).toHaveLength(5);
    for (const address of loaded) {
      const file = await fetch(new URL(address, `${api.url}/docs`));
      expect(file.status).toBe(200);
      expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect((await file.text()).length).toBeGreaterThan(500);
    }
    expect((await api.get('/docs/nothing.js')).status).toBe(404);
  });

  test('answers many refreshes with one token at once with one successor', async () => {
    const { refresh } = await api.login('ada');
    const answers = await Promise.all(
      Array.from({ length: count(50, 200) }, () => unlessBusy(() => api.post('/api/token/refresh', { refresh }))),
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

  test('changes a password: every device is out at once, and the answer is the only session', async () => {
    await api.user('frank');
    const [phone, laptop] = [await api.login('frank'), await api.login('frank')];
    const NEW = 'a horse of another colour';
    const change = (current_password: string) =>
      api.post('/api/password', { current_password, new_password: NEW }, bearer(laptop.access));
    const wrong = await change('not the password');
    expect(wrong.status).toBe(400);
    expect(wrong.body).toMatchObject({ current_password: ['Invalid password.'] });
    const changed = await change(PASSWORD);
    expect(changed.status).toBe(200);
    for (const { access, refresh } of [phone, laptop]) {
      expect((await api.get('/api/profile', bearer(access))).status).toBe(401);
      expect((await api.post('/api/token/refresh', { refresh })).status).toBe(401);
    }
    const { access, refresh } = changed.body;
    expect((await api.get('/api/profile', bearer(String(access)))).status).toBe(200);
    expect((await api.post('/api/token/refresh', { refresh })).status).toBe(200);
    expect((await api.post('/api/token', { username: 'frank', password: PASSWORD })).status).toBe(401);
    expect((await api.post('/api/token', { username: 'frank', password: NEW })).status).toBe(200);
    expect((await api.post('/api/password', { current_password: NEW, new_password: NEW })).status).toBe(401);
  });

  test('signs up, logs in, and is still let in from that device while a stranger guesses', async () => {
    const account = { username: 'grace', password: PASSWORD };
    const made = await api.post('/api/users', { ...account, email: 'grace@example.com' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ username: 'grace', pending_email: 'grace@example.com', roles: [] });
    expect((await api.post('/api/users', { ...account, username: 'Grace' })).status).toBe(409);
    const first = await api.post('/api/token', account);
    const { device_token } = first.body;
    const guess = () => api.post('/api/token', { ...account, password: 'wrong' });
    // Four at a time: forty at once would have a busy machine's store answer later than a function waits.
    for (let round = 0; round < 10; round++)
      for (const { status } of await Promise.all([guess(), guess(), guess(), guess()])) expect(status).toBe(401);
    expect((await api.post('/api/token', { ...account, device_token })).status).toBe(200);
  });

  test('changes a profile', async () => {
    const { access } = await api.login('ada');
    const patch = (body: string) =>
      fetch(`${api.url}/api/profile`, {
        method: 'PATCH',
        headers: { ...bearer(access), 'Content-Type': 'application/json' },
        body,
      });
    expect((await patch('{"display_name":"Ada L."}')).status).toBe(200);
    expect((await api.get('/api/profile', bearer(access))).body).toMatchObject({ display_name: 'Ada L.' });
    expect((await patch('{"roles":["admin"]}')).status).toBe(400);
  });

  test('counts what happens in CloudWatch’s embedded metric format, once each', async () => {
    const before = api.logs.length;
    const { refresh } = await api.login('ada');
    await api.post('/api/token', { username: 'ada', password: 'wrong' });
    await api.post('/api/token/refresh', { refresh });
    await api.post('/api/token/blacklist', { refresh });
    await api.post('/api/token/blacklist', { refresh });
    const counted = api.logs.slice(before).map((line) => JSON.parse(line) as Record<string, unknown>);
    const metrics = counted.filter((line) => '_aws' in line);
    expect(metrics.map(({ event }) => event)).toEqual(['login', 'login-failed', 'refresh', 'logout']);
    for (const line of metrics) {
      expect(line).toMatchObject({ address: '127.0.0.1', userId: expect.any(String), requestId: expect.any(String) });
      expect(JSON.stringify(line['_aws'])).toContain('"Namespace":"Latchkey/');
    }
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

describe('a browser that keeps its refresh token in a cookie', () => {
  const JAR = ['__Host-latchkey-refresh', '__Host-latchkey-device'] as const;
  const FROM_OUR_PAGE = { 'X-Latchkey-Mode': 'cookie', Origin: APP, 'Sec-Fetch-Site': 'same-site' };
  const FROM_ELSEWHERE = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };

  /** What a browser keeps of an answer's cookies, as its next `Cookie` header. */
  const cookiesOf = ({ headers }: TestAnswer) => headers.getSetCookie().map((text) => text.split(';')[0] ?? '');
  const ask = (path: string, body: unknown, cookies: readonly string[], from: Record<string, string> = FROM_OUR_PAGE) =>
    api.post(path, body, { ...from, ...(cookies.length > 0 && { Cookie: cookies.join('; ') }) });
  const logIn = () => ask('/api/token', { username: 'ada', password: PASSWORD }, []);

  test('logs in, comes back after a reload, and logs out cleanly', async () => {
    const login = await logIn();
    expect([login.status, Object.keys(login.body)]).toEqual([200, ['access']]);
    const [refresh = '', device = '', ...others] = cookiesOf(login);
    expect([refresh.split('=')[0], device.split('=')[0], others]).toEqual([...JAR, []]);
    for (const text of login.headers.getSetCookie()) {
      expect(text).toMatch(/^__Host-[\w-]+=[\w.-]+; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=\d{7,8}$/);
    }
    expect(login.headers.get('access-control-allow-origin')).toBe(APP);
    expect(login.headers.get('access-control-allow-credentials')).toBe('true');
    expect(login.headers.get('vary')).toBe('Origin');

    const renewed = await ask('/api/token/refresh', '', [device, refresh]);
    expect([renewed.status, Object.keys(renewed.body)]).toEqual([200, ['access']]);
    const [next = ''] = cookiesOf(renewed);
    expect(next).toMatch(/^__Host-latchkey-refresh=/);
    expect(next).not.toBe(refresh);
    expect((await api.get('/api/profile', bearer(String(renewed.body['access'])))).status).toBe(200);

    const out = await ask('/api/token/blacklist', {}, [next]);
    expect([out.status, out.text, out.headers.getSetCookie()]).toEqual([
      200,
      '{}',
      ['__Host-latchkey-refresh=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0'],
    ]);
    expect((await ask('/api/token/refresh', {}, [next])).body).toMatchObject({ detail: 'Token is blacklisted' });
    const nobody = await ask('/api/token/refresh', {}, []);
    expect([nobody.status, nobody.body['code']]).toEqual([401, 'not_authenticated']);
    const lines = api.logs.join('\n');
    for (const cookie of [refresh, device, next]) expect(lines).not.toContain(cookie.slice(-40));
  });

  test('changes a password, and gets the cookie of the new session', async () => {
    await api.user('heidi');
    const login = await ask('/api/token', { username: 'heidi', password: PASSWORD }, []);
    const changed = await ask(
      '/api/password',
      { current_password: PASSWORD, new_password: 'a horse of another colour' },
      [],
      { ...FROM_OUR_PAGE, ...bearer(String(login.body['access'])) },
    );
    expect([changed.status, Object.keys(changed.body)]).toEqual([200, ['access']]);
    expect((await ask('/api/token/refresh', {}, cookiesOf(login))).status).toBe(401);
    expect((await ask('/api/token/refresh', {}, cookiesOf(changed))).status).toBe(200);
  });

  test('is asked by other sites for nothing: neither by a form nor by a script does its session change', async () => {
    const cookies = cookiesOf(await logIn());
    const form = { ...FROM_ELSEWHERE, 'Content-Type': 'application/x-www-form-urlencoded' };
    const script = { ...FROM_ELSEWHERE, 'X-Latchkey-Mode': 'cookie' };
    for (const path of ['/api/token', '/api/token/refresh', '/api/token/blacklist']) {
      // A form cannot send the header, and so is one like any other, without a token in it.
      const posted = await ask(path, 'a=b', cookies, form);
      expect([path, posted.status, posted.headers.getSetCookie()]).toEqual([path, 400, []]);
      const fetched = await ask(path, {}, cookies, script);
      expect([path, fetched.status, fetched.body['detail'], fetched.headers.getSetCookie()]).toEqual([
        path,
        403,
        'CSRF Failed: Origin checking failed.',
        [],
      ]);
      expect(fetched.headers.get('access-control-allow-origin')).toBeNull();
    }
    const renewed = await ask('/api/token/refresh', {}, cookies);
    expect(renewed.status).toBe(200);
    expect(decodeJwt(cookiesOf(renewed)[0]?.split('=')[1] ?? '')).toMatchObject({ counter: 1 });
  });

  test('may ask from a configured origin, says its preflight, and from no other', async () => {
    const preflight = (origin: string) =>
      fetch(`${api.url}/api/token/refresh`, {
        method: 'OPTIONS',
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      });
    const { status, headers } = await preflight(APP);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(APP);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type, X-Latchkey-Mode');
    const { headers: told } = await preflight('https://evil.example');
    expect(told.get('access-control-allow-origin')).toBeNull();
    expect(told.get('vary')).toBe('Origin');
    const keys = await api.get('/.well-known/jwks.json', { Origin: 'https://evil.example' });
    expect(keys.headers.get('access-control-allow-origin')).toBe('*');
    expect(keys.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test("needs no origin configured for a page of the API's own, also where a browser says no more than Origin", async () => {
    const own = { 'X-Latchkey-Mode': 'cookie', Origin: api.url };
    expect((await ask('/api/token', { username: 'ada', password: PASSWORD }, [], own)).status).toBe(200);
    expect(
      (await ask('/api/token/refresh', {}, [], { ...own, Origin: api.url.replace('http:', 'https:') })).status,
    ).toBe(403);
  });
});

test('an access token stops at the second it expires', async () => {
  const short = await aGateway({ ACCESS_TOKEN_LIFETIME_SECONDS: '5' });
  try {
    await short.user('ada');
    // Every function has started once before the five seconds begin.
    await short.get('/api/profile', bearer((await short.login('ada')).access));
    let access: string;
    let left: number;
    let before: number;
    // A busy machine may let the five seconds go by.
    do {
      ({ access } = await short.login('ada'));
      before = (await short.get('/api/profile', bearer(access))).status;
      left = Number(decodeJwt(access).exp) * 1000 - Date.now();
    } while (left <= 0);
    expect(before).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, left + 20));
    expect((await short.get('/api/profile', bearer(access))).status).toBe(401);
  } finally {
    await short.close();
  }
});
