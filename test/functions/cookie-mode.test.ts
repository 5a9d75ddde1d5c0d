/** The four functions with a refresh token, asked by a browser that keeps it in a cookie. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { SessionId } from '../../functions/shared/domain/ids.ts';
import { textIn } from '../../functions/shared/domain/unknown.ts';
import type { Request } from '../support/events.ts';
import { expectNoSecretsIn } from '../support/secrecy.ts';
import {
  authorizerContext,
  badToken,
  PROBLEM_HEADERS,
  problemOf,
  startService,
  type Account,
  type Answer,
  type FunctionName,
  type Service,
} from '../support/service.ts';

const APP = 'https://app.example.org';
const REFRESH = '__Host-latchkey-refresh';
const DEVICE = '__Host-latchkey-device';
const DAY = 86_400;

let service: Service;
let account: Account;
let browser: Browser;

beforeAll(async () => {
  service = await startService({ COOKIE_MODE: 'on', CORS_ORIGIN: APP });
});
afterAll(() => service.stop());
beforeEach(async () => {
  account = await service.account();
  browser = aBrowser();
});

interface Browser {
  /** What it keeps, by name. */
  readonly jar: Map<string, string>;
  /** Asks with its cookies, from a page of the configured origin, and keeps those of the answer. */
  ask(name: FunctionName, request?: Request): Promise<Answer>;
  logIn(): Promise<Answer>;
}

/** A browser as far as cookies go; a value of the jar may be anything here. */
function aBrowser(): Browser {
  const jar = new Map<string, string>();
  const ask = async (name: FunctionName, request: Request = {}): Promise<Answer> => {
    const cookies = [...jar].map(([cookie, value]) => `${cookie}=${value}`).join('; ');
    const answer = await service.call(name, {
      ...request,
      headers: { ...FROM_OUR_PAGE, ...(cookies !== '' && { Cookie: cookies }), ...request.headers },
    });
    for (const text of answer.cookies) {
      const { name: cookie, value, maxAge } = parsed(text);
      if (maxAge === 0) jar.delete(cookie);
      else jar.set(cookie, value);
    }
    return answer;
  };
  const logIn = () => ask('login', { json: { username: account.username, password: account.password } });
  return { jar, ask, logIn };
}

const FROM_OUR_PAGE = { 'X-Latchkey-Mode': 'cookie', 'Sec-Fetch-Site': 'same-site', Origin: APP };

function parsed(text: unknown) {
  const found = /^([^=]+)=([^;]*); Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=(\d+)$/.exec(String(text));
  const [, name = '', value = '', maxAge] = found ?? [];
  expect([text, name]).toEqual([text, expect.stringMatching(/^__Host-/)]);
  return { name, value, maxAge: Number(maxAge) };
}

const refreshToken = () => browser.jar.get(REFRESH) ?? '';
const isGood = async (token: string) => (await service.call('verify', { json: { token } })).status === 200;
const storedSession = (token: string) => {
  const { sub, sid } = decodeJwt<{ sid: SessionId }>(token);
  expect(sub).toBe(account.user.id);
  return service.tables.store.findSession(account.user.id, sid);
};

/** A refresh token is nowhere but in the cookie. */
function expectAccessAlone({ status, headers, body, text }: Answer, cookies = [REFRESH]): void {
  expect([status, Object.keys(body)]).toEqual([200, ['access']]);
  expect(decodeJwt(textIn(body, 'access'))).toMatchObject({ sub: account.user.id, token_type: 'access' });
  for (const name of cookies) expect(text).not.toContain(browser.jar.get(name));
  expect(headers).toMatchObject({
    'Cache-Control': 'no-store',
    Vary: 'Origin',
    'Access-Control-Allow-Origin': APP,
    'Access-Control-Allow-Credentials': 'true',
  });
  expect(headers).not.toHaveProperty('Set-Cookie');
}

const NO_CREDENTIALS = problemOf(401, 'Unauthorized', 'Authentication credentials were not provided.', {
  code: 'not_authenticated',
});

describe('a login', () => {
  test('answers the access token, and hands the others over in cookies that last as long as they do', async () => {
    const answer = await browser.logIn();
    expectAccessAlone(answer, [REFRESH, DEVICE]);
    const [refresh, device, ...others] = answer.cookies.map(parsed);
    expect(others).toEqual([]);
    expect([refresh?.name, device?.name]).toEqual([REFRESH, DEVICE]);
    expect(decodeJwt(refresh!.value)).toMatchObject({ token_type: 'refresh', counter: 0 });
    expect(decodeJwt(device!.value)).toMatchObject({ token_type: 'device' });
    // To the second of their end, on a machine that may have taken some to answer.
    for (const [cookie, days] of [
      [refresh!, 30],
      [device!, 180],
    ] as const) {
      const life = decodeJwt(cookie.value).exp! - decodeJwt(cookie.value).iat!;
      expect(life).toBe(days * DAY);
      expect(cookie.maxAge).toBeLessThanOrEqual(life);
      expect(cookie.maxAge).toBeGreaterThan(life - 60);
    }
  });

  test('by a device that is known is told from a stranger by its cookie, not by its body', async () => {
    await browser.logIn();
    const device = browser.jar.get(DEVICE)!;
    await service.lock(account);
    expect((await browser.logIn()).status).toBe(200);
    const json = { username: account.username, password: account.password, device_token: device };
    const stranger = await aBrowser().ask('login', { json });
    expect([stranger.status, stranger.cookies]).toEqual([401, []]);
  });

  test.each([
    ['broken', () => ['x']],
    ['too long', () => ['x'.repeat(9_000)]],
    ['no text', () => ['\0']],
    ['there twice, and once good', (good: string) => [good, good]],
  ])('with a device cookie that is %s is one of a stranger, and no more', async (_what, values) => {
    await browser.logIn();
    const cookies = values(browser.jar.get(DEVICE)!).map((value) => `${DEVICE}=${value}`);
    const json = { username: account.username, password: account.password };
    expect((await browser.ask('login', { json, headers: { Cookie: cookies } })).status).toBe(200);
    await service.lock(account);
    expect((await browser.ask('login', { json, headers: { Cookie: cookies } })).status).toBe(401);
  });

  test('that is refused sets no cookie', async () => {
    const { status, cookies } = await browser.ask('login', { json: { username: account.username, password: 'wrong' } });
    expect([status, cookies]).toEqual([401, []]);
  });
});

describe('a refresh', () => {
  beforeEach(() => browser.logIn());

  test.each<[string, Request]>([
    ['an empty object', { json: {} }],
    ['nothing', {}],
    ['a form without fields', { form: {} }],
  ])('with %s for a body takes its cookie, and hands over the next', async (_what, request) => {
    const before = refreshToken();
    const answer = await browser.ask('refresh', request);
    expectAccessAlone(answer);
    expect(answer.cookies.map(parsed)).toEqual([{ name: REFRESH, value: refreshToken(), maxAge: expect.any(Number) }]);
    expect(decodeJwt(refreshToken())).toMatchObject({ counter: 1, sid: decodeJwt(before)['sid'] });
    expect((await storedSession(before))?.current).toBe(1);
  });

  test('takes the cookie alone: a token in the body is as good as none', async () => {
    const token = refreshToken();
    browser.jar.delete(REFRESH);
    const { status, body, cookies } = await browser.ask('refresh', { json: { refresh: token } });
    expect({ status, body, cookies }).toEqual({ status: 401, body: NO_CREDENTIALS, cookies: [] });
    expect((await storedSession(token))?.current).toBe(0);
  });

  test('without a cookie is told that nobody is logged in', async () => {
    const { status, headers, body, cookies } = await aBrowser().ask('refresh', { json: {} });
    expect({ status, body, cookies }).toEqual({ status: 401, body: NO_CREDENTIALS, cookies: [] });
    expect(headers).toMatchObject({ 'WWW-Authenticate': 'Bearer realm="api"' });
  });

  test.each([
    ['broken', () => 'x'],
    ['empty', () => ''],
    ['too long', () => 'x'.repeat(9_000)],
    ['quoted', (good: string) => `"${good}"`],
    ['of an odd alphabet', () => 'é\u0000🦊%00'],
    ['forged', (good: string) => `${good.slice(0, -8)}AAAAAAAA`],
    ['there twice', (good: string) => `${good}; ${REFRESH}=${good}`],
    ['there twice, in two headers', (good: string) => [`${REFRESH}=${good}`, `${REFRESH}=${good}`]],
  ])('with a cookie that is %s is refused, and the cookie stays', async (_what, made) => {
    const good = refreshToken();
    const cookies = made(good);
    const headers = { Cookie: typeof cookies === 'string' ? `${REFRESH}=${cookies}` : cookies };
    const answer = await browser.ask('refresh', { headers });
    const { status, body, cookies: set } = answer;
    expect({ status, body, set }).toEqual({ status: 401, body: badToken('Token is invalid').body, set: [] });
    // Nothing has happened to the session.
    expect((await storedSession(good))?.current).toBe(0);
    expectAccessAlone(await browser.ask('refresh'));
  });

  test('of a session that ended is refused, and takes no cookie away that a newer login may have set', async () => {
    await service.call('blacklist', { json: { refresh: refreshToken() } });
    const { status, body, cookies } = await browser.ask('refresh');
    expect({ status, body, cookies }).toEqual({
      status: 401,
      body: badToken('Token is blacklisted').body,
      cookies: [],
    });
  });
});

describe('a log out', () => {
  const forgets = [`${REFRESH}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`];

  test('ends the session and takes the refresh token from the browser; the device stays known', async () => {
    await browser.logIn();
    const token = refreshToken();
    const { status, text, cookies } = await browser.ask('blacklist', { json: {} });
    expect({ status, text, cookies }).toEqual({ status: 200, text: '{}', cookies: forgets });
    expect(await isGood(token)).toBe(false);
    expect([...browser.jar.keys()]).toEqual([DEVICE]);
    expect((await browser.ask('refresh')).body).toEqual(NO_CREDENTIALS);
  });

  test.each([
    ['without a cookie', undefined],
    ['with a broken one', `${REFRESH}=x`],
    ['with one that is too long', `${REFRESH}=${'x'.repeat(9_000)}`],
    ['with two', `${REFRESH}=x; ${REFRESH}=x`],
  ])('%s is done as well', async (_what, cookie) => {
    const headers = cookie === undefined ? {} : { Cookie: cookie };
    const { status, text, cookies } = await browser.ask('blacklist', { headers });
    expect({ status, text, cookies }).toEqual({ status: 200, text: '{}', cookies: forgets });
  });

  test('takes the cookie alone: a token in the body is let be', async () => {
    await browser.logIn();
    const token = refreshToken();
    expect((await aBrowser().ask('blacklist', { json: { refresh: token } })).status).toBe(200);
    expect(await isGood(token)).toBe(true);
  });

  test('while the store is out of reach is a 503, and the browser forgets all the same', async () => {
    await browser.logIn();
    const token = refreshToken();
    service.proxy.disturb(() => 'refuse');
    const { status, headers, cookies } = await browser
      .ask('blacklist', { json: {} })
      .finally(() => service.proxy.disturb(() => undefined));
    expect({ status, cookies }).toEqual({ status: 503, cookies: forgets });
    expect(headers).toMatchObject({ 'Retry-After': '5' });
    expect(browser.jar.has(REFRESH)).toBe(false);
    // It goes on there until it ends by itself; its user can end it among the devices.
    expect(await isGood(token)).toBe(true);
  });
});

describe('a password change', () => {
  test('answers the access token of the new session, and hands its refresh token over in the cookie', async () => {
    const { body } = await browser.logIn();
    const before = refreshToken();
    const device = browser.jar.get(DEVICE);
    const answer = await browser.ask('password', {
      authorizer: authorizerContext(textIn(body, 'access')),
      json: { current_password: account.password, new_password: 'a horse of another colour' },
    });
    expectAccessAlone(answer);
    expect(answer.cookies.map((text) => parsed(text).name)).toEqual([REFRESH]);
    expect(browser.jar.get(DEVICE)).toBe(device);
    expect([await isGood(before), await isGood(refreshToken())]).toEqual([false, true]);
    expectAccessAlone(await browser.ask('refresh'));
  });
});

describe('a request from a page that is none of ours', () => {
  const FROM_ELSEWHERE: [string, Record<string, string>][] = [
    ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
    ['a sister on the site', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://blog.example.org' }],
    ['nobody knows where', { 'Sec-Fetch-Site': 'none', Origin: 'null' }],
  ];
  const refused = {
    status: 403,
    body: problemOf(403, 'Forbidden', 'CSRF Failed: Origin checking failed.', { code: 'permission_denied' }),
    cookies: [],
  };
  const seen = ({ status, body, cookies }: Answer) => ({ status, body, cookies });

  test.each(FROM_ELSEWHERE)('(%s) changes nothing: no session, no counter, no cookie', async (_where, headers) => {
    const { body } = await browser.logIn();
    const token = refreshToken();
    const authorizer = authorizerContext(textIn(body, 'access'));
    const credentials = { username: account.username, password: account.password };
    const change = { current_password: account.password, new_password: 'a horse of another colour' };
    const calls = service.proxy.calls.length;
    for (const [name, request] of [
      ['login', { json: credentials }],
      ['refresh', { json: {} }],
      ['blacklist', { json: {} }],
      ['password', { authorizer, json: change }],
      // Before a body is looked at, or a bearer.
      ['login', { body: '<a/>' }],
      ['password', { authorizer: {}, json: {} }],
    ] as const) {
      const answer = await browser.ask(name, { ...request, headers });
      expect([name, seen(answer)]).toEqual([name, refused]);
      expect(answer.headers).not.toHaveProperty('Access-Control-Allow-Origin');
      expect(answer.headers).not.toHaveProperty('WWW-Authenticate');
    }
    // The store was not even asked: no attempt is counted, no session touched.
    expect(service.proxy.calls.slice(calls)).toEqual([]);
    expect((await storedSession(token))?.current).toBe(0);
    expectAccessAlone(await browser.ask('refresh'));
    expect(decodeJwt(refreshToken())['counter']).toBe(1);
  });

  test('is not helped by saying both', async () => {
    await browser.logIn();
    const headers = { 'Sec-Fetch-Site': ['same-origin', 'cross-site'], Origin: 'https://evil.example' };
    expect(seen(await browser.ask('refresh', { headers }))).toEqual(refused);
  });
});

describe('without the header', () => {
  const plain = (name: FunctionName, request: Request) => {
    const cookies = [...browser.jar].map(([cookie, value]) => `${cookie}=${value}`).join('; ');
    return service.call(name, {
      ...request,
      headers: { Cookie: cookies, Origin: APP, 'Sec-Fetch-Site': 'cross-site' },
    });
  };

  test('everything is in bodies as ever, and cookies are not looked at', async () => {
    await browser.logIn();
    const login = await plain('login', { json: { username: account.username, password: account.password } });
    expect([Object.keys(login.body), login.cookies]).toEqual([['access', 'refresh', 'device_token'], []]);
    const { body } = await plain('refresh', { json: {} });
    expect(body).toMatchObject({ status: 400, refresh: ['This field is required.'] });
    const { body: out } = await plain('blacklist', { json: {} });
    expect(out).toMatchObject({ status: 400, refresh: ['This field is required.'] });
    const renewed = await plain('refresh', { json: { refresh: textIn(login.body, 'refresh') } });
    expect([Object.keys(renewed.body), renewed.cookies]).toEqual([['access', 'refresh'], []]);
    const changed = await plain('password', {
      authorizer: authorizerContext(textIn(renewed.body, 'access')),
      json: { current_password: account.password, new_password: 'a horse of another colour' },
    });
    expect([Object.keys(changed.body), changed.cookies]).toEqual([['access', 'refresh'], []]);
    const ended = await plain('blacklist', { json: { refresh: textIn(changed.body, 'refresh') } });
    expect([ended.text, ended.cookies]).toEqual(['{}', []]);
    const dead = await plain('blacklist', { json: { refresh: 'x' } });
    expect([dead.status, dead.cookies]).toEqual([401, []]);
  });

  test('and a known device logs in by its body alone', async () => {
    await browser.logIn();
    await service.lock(account);
    const json = { username: account.username, password: account.password };
    expect((await plain('login', { json })).status).toBe(401);
    expect((await plain('login', { json: { ...json, device_token: browser.jar.get(DEVICE) } })).status).toBe(200);
  });
});

test.each(['', 'body', 'Cookie'])('with %j in the header a request is refused, and no token leaves', async (word) => {
  const headers = { 'X-Latchkey-Mode': word };
  const {
    status,
    headers: told,
    body,
    cookies,
  } = await browser.ask('login', {
    json: { username: account.username, password: account.password },
    headers,
  });
  expect({ status, body, cookies }).toEqual({
    status: 400,
    body: problemOf(400, 'Bad Request', 'The header X-Latchkey-Mode takes the word "cookie", or is left out.'),
    cookies: [],
  });
  expect(told).toMatchObject({ 'Content-Type': PROBLEM_HEADERS['Content-Type'] });
});

test('nothing secret was logged', async () => {
  const { body } = await browser.logIn();
  const tokens = [textIn(body, 'access'), refreshToken(), browser.jar.get(DEVICE)!];
  await browser.ask('refresh', { headers: { Cookie: `${REFRESH}=${tokens[1]!.slice(0, -8)}AAAAAAAA` } });
  await browser.ask('refresh', { headers: { 'Sec-Fetch-Site': 'cross-site' } });
  await browser.ask('refresh');
  await browser.ask('blacklist');
  expect(service.log.join('\n')).toContain('"reason":"cross-site-request"');
  expectNoSecretsIn(service.log, service.keys, [...tokens, account.password, account.username]);
});

describe('where cookie mode is off', () => {
  test('whoever asks for it is told so, and no token leaves', async () => {
    process.env['COOKIE_MODE'] = 'off';
    const answers: Answer[] = [];
    for (const name of ['login', 'refresh', 'blacklist', 'password'] as const) {
      await service.restart(name);
      answers.push(await browser.ask(name, { json: { username: account.username, password: account.password } }));
    }
    for (const { status, body, cookies, headers } of answers) {
      expect({ status, body, cookies }).toEqual({
        status: 400,
        body: problemOf(400, 'Bad Request', 'Cookie mode is off here: leave out the header X-Latchkey-Mode.'),
        cookies: [],
      });
      expect(headers).not.toHaveProperty('Access-Control-Allow-Credentials');
    }
  });
});
