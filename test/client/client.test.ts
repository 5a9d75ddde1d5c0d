import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createClient, memoryStorage, type Client, type SessionStorage } from '../../client/src/latchkey.ts';
import { AuthServer, BASE_URL, LIFETIME_SECONDS, type Weather } from '../support/client/auth-server.ts';
import { Browser } from '../support/client/browser.ts';

const ADA = { username: 'ada', password: 'right' };
const MINUTE = 60_000;
const LIFETIME = LIFETIME_SECONDS * 1000;

let server: AuthServer;
let client: Client;
let storage: SessionStorage;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'], now: 1_700_000_000_000 });
  server = new AuthServer();
  storage = memoryStorage();
  client = clientOf(server, storage);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const clientOf = ({ fetch }: AuthServer, kept: SessionStorage = memoryStorage()) =>
  createClient({ baseUrl: BASE_URL, storage: kept, fetch });

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

/** Runs something for as long as it takes, up to some minutes. */
async function settled<Value>(promise: Promise<Value>): Promise<PromiseSettledResult<Value>> {
  let result: PromiseSettledResult<Value> | undefined;
  void Promise.allSettled([promise]).then(([one]) => (result = one));
  for (let step = 0; step < 500 && result === undefined; step += 1) await pass(step < 50 ? 0 : step < 80 ? 10 : 500);
  if (result === undefined) throw new Error('never settled');
  return result;
}

async function done<Value>(promise: Promise<Value>): Promise<Value> {
  const result = await settled(promise);
  if (result.status === 'rejected') throw result.reason as Error;
  return result.value;
}

const statusOf = async (of: Pick<Client, 'fetch'> = client) => (await done(of.fetch('/api/profile'))).status;
const troubleOf = async (promise: Promise<unknown>) => {
  const result = await settled(promise);
  return result.status === 'rejected' ? (result.reason as { kind: string }).kind : 'none';
};
/** This weather for so many refreshes, then clear. */
const refreshesIn = (...weather: Weather[]) => {
  server.weather = ({ path }) => (path === '/api/token/refresh' ? (weather.shift() ?? 'clear') : 'clear');
};

describe('logging in', () => {
  test('gives requests the token, and says who is logged in', async () => {
    expect(client.session).toEqual({ status: 'unknown' });
    expect(await client.ready()).toEqual({ status: 'out', reason: 'none' });
    expect(await done(client.login(ADA))).toEqual({ status: 'in', userId: 'ada', sessionId: 'session0' });
    expect(await statusOf()).toBe(200);
    expect(server.asked.at(-1)?.authorization).toMatch(/^Bearer /);
    expect(await client.accessToken()).toBe(server.asked.at(-1)?.authorization?.slice(7));
  });

  test('is refused with the words of the server, tried once, and leaves an older session as it was', async () => {
    await done(client.login(ADA));
    const asked = server.asked.length;
    await expect(client.login({ ...ADA, password: 'wrong' })).rejects.toMatchObject({
      kind: 'refused',
      status: 401,
      problem: { code: 'no_active_account' },
    });
    server.weather = () => 503;
    server.retryAfter = '5';
    await expect(client.login(ADA)).rejects.toMatchObject({ kind: 'unavailable', status: 503, retryAfter: 5000 });
    server.weather = () => 'page';
    await expect(client.login(ADA)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(server.asked.length).toBe(asked + 3);
    expect(client.session.status).toBe('in');
  });

  test('as somebody else ends the session before on the server too', async () => {
    await done(client.login(ADA));
    await done(client.login({ ...ADA, username: 'bob' }));
    await pass(10);
    expect(server.isAlive('session0')).toBe(false);
    expect(client.session).toMatchObject({ status: 'in', userId: 'bob', sessionId: 'session1' });
  });

  test('that was overtaken by a logout begins nothing, here or on the server', async () => {
    server.delay = () => new Promise((resolve) => setTimeout(resolve, 100));
    const login = troubleOf(client.login(ADA));
    await pass(150);
    await done(client.logout());
    expect(await login).toBe('ended');
    await pass(1000);
    expect(client.session.status).toBe('out');
    expect(server.isAlive('session0')).toBe(false);
    expect(await storage.read()).toBeNull();
  });

  test('takes the pair of a changed password in the place of the old one', async () => {
    await done(client.login(ADA));
    const other = clientOf(server);
    await done(other.login(ADA));
    const pair = JSON.parse(String(await storage.read())) as { access: string; refresh: string };
    const next = clientOf(server);
    await next.adopt(pair);
    expect(next.session).toMatchObject({ status: 'in', sessionId: 'session0' });
    expect(await statusOf(next)).toBe(200);
  });
});

describe('a token that ends', () => {
  beforeEach(() => done(client.login(ADA)));

  test('is used as it is until a minute before its end', async () => {
    await pass(LIFETIME - MINUTE - 1);
    expect(await statusOf()).toBe(200);
    expect(server.refreshes).toBe(0);
  });

  test('is replaced in the last minute, while requests go on with it', async () => {
    await pass(LIFETIME - MINUTE);
    refreshesIn('silence');
    const used = await client.accessToken();
    expect(await statusOf()).toBe(200);
    expect(server.asked.at(-1)?.authorization).toBe(`Bearer ${String(used)}`);
    await pass(MINUTE / 2);
    expect(server.refreshes).toBe(1);
    expect(await client.accessToken()).not.toBe(used);
  });

  test('is replaced before a request that it would not outlive, once for all that wait', async () => {
    await pass(LIFETIME - 5000);
    const answers = await done(Promise.all(Array.from({ length: 20 }, () => client.fetch('/api/profile'))));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(server.refreshes).toBe(1);
    expect(new Set(server.asked.slice(2).map(({ authorization }) => authorization)).size).toBe(1);
  });

  test.each([
    ['an hour ahead', 3_600_000],
    ['a day behind', -86_400_000],
  ])('is judged rightly with a clock that is set %s', async (_what, jump) => {
    await pass(LIFETIME / 2);
    jest.setSystemTime(Date.now() + jump);
    for (let minute = 0; minute < 40; minute += 1) {
      expect(await statusOf()).toBe(200);
      await pass(MINUTE);
    }
    expect(server.asked.filter(({ path }) => path === '/api/profile')).toHaveLength(40);
    expect(server.refreshes).toBeLessThanOrEqual(4);
  });

  test('is judged by the clock on the wall where the other one slept', async () => {
    jest.setSystemTime(Date.now() + 86_400_000);
    server.skew += 86_400;
    expect(await statusOf()).toBe(200);
    expect(server.asked.filter(({ path }) => path === '/api/profile')).toHaveLength(1);
  });

  test('of an earlier run is judged by when it came, and is very old where the clock was set back', async () => {
    await pass(MINUTE);
    const again = clientOf(server, storage);
    expect(await statusOf(again)).toBe(200);
    expect(server.refreshes).toBe(0);
    jest.setSystemTime(Date.now() - 86_400_000);
    expect(await statusOf(clientOf(server, storage))).toBe(200);
    expect(server.refreshes).toBe(1);
  });

  test('too early is found by the 401, and the request goes out again, once', async () => {
    server.skew += LIFETIME_SECONDS;
    expect(await statusOf()).toBe(200);
    expect(server.refreshes).toBe(1);
    expect(server.asked.filter(({ path }) => path === '/api/profile')).toHaveLength(2);
  });

  test('gives back the 401 of an API that says it to every token, and stays logged in', async () => {
    server.weather = ({ path }) => (path === '/api/profile' ? 'portal' : 'clear');
    expect(await statusOf()).toBe(401);
    expect(server.asked.filter(({ path }) => path === '/api/profile')).toHaveLength(2);
    expect(client.session.status).toBe('in');
  });

  test('that cannot be read is good until the server says no', async () => {
    const seen: string[] = [];
    const kept = memoryStorage();
    await kept.write(JSON.stringify({ access: 'opaque1', refresh: 'first' }));
    const opaque = createClient({
      baseUrl: BASE_URL,
      storage: kept,
      fetch: (input, init) => {
        if (input === `${BASE_URL}/api/token/refresh`)
          return Promise.resolve(Response.json({ access: 'opaque.!.2', refresh: 'second' }));
        seen.push(new Headers(init?.headers).get('authorization') ?? '');
        return Promise.resolve(new Response('', { status: seen.length === 1 ? 401 : 200 }));
      },
    });
    expect(await statusOf(opaque)).toBe(200);
    expect(seen).toEqual(['Bearer opaque1', 'Bearer opaque.!.2']);
    expect(await opaque.accessToken()).toBe('opaque.!.2');
    expect(opaque.session).toEqual({ status: 'in', userId: undefined, sessionId: undefined });
  });
});

describe('trouble on the way', () => {
  beforeEach(async () => {
    await done(client.login(ADA));
    await pass(LIFETIME);
  });

  test.each<Weather>(['offline', 'cut', 'portal', 'page', 'silence', 429, 500, 503])(
    'is tried again after %s, and the caller sees nothing of it',
    async (weather) => {
      refreshesIn(weather, weather);
      expect(await statusOf()).toBe(200);
      expect(client.session.status).toBe('in');
      expect(server.thefts).toBe(0);
    },
  );

  test.each<Weather>(['offline', 'cut', 'portal', 'page', 'silence', 429, 500, 503])(
    'logs nobody out, however long it lasts: %s',
    async (weather) => {
      server.weather = () => weather;
      for (let minute = 0; minute < 10; minute += 1) {
        expect(await troubleOf(client.fetch('/api/profile'))).toBe('unavailable');
        await pass(MINUTE);
      }
      expect(client.session.status).toBe('in');
      server.weather = () => 'clear';
      expect(await statusOf()).toBe(200);
      expect(server.thefts).toBe(0);
    },
  );

  test('is tried four times, later and later, by chance and never in step', async () => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const at: number[] = [];
    server.weather = () => {
      at.push(Math.round(performance.now()));
      return 'offline';
    };
    expect(await troubleOf(client.fetch('/api/profile'))).toBe('unavailable');
    expect(at.map((time) => time - at[0]!)).toEqual([0, 250, 750, 1750]);
    expect(random).toHaveBeenCalledTimes(3);
  });

  test.each([
    ['seconds', () => '7'],
    ['a date', () => new Date(Date.now() + 7000).toUTCString()],
  ])('waits as long as the server says in %s', async (_what, retryAfter) => {
    const at: number[] = [];
    server.retryAfter = retryAfter();
    server.weather = ({ path }) => {
      if (path === '/api/token/refresh') at.push(performance.now());
      return at.length === 1 ? 503 : 'clear';
    };
    expect(await statusOf()).toBe(200);
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(6000);
  });

  test('does not ask again before a long time is over, and says so at once', async () => {
    server.retryAfter = '60';
    server.weather = () => 429;
    expect(await troubleOf(client.fetch('/api/profile'))).toBe('unavailable');
    server.weather = () => 'clear';
    expect(await troubleOf(client.fetch('/api/profile'))).toBe('unavailable');
    expect(server.refreshes).toBe(1);
    await pass(MINUTE);
    expect(await statusOf()).toBe(200);
  });

  test('survives the end of the page and a server that starts anew', async () => {
    refreshesIn('cut', 'offline', 'offline', 'offline');
    expect(await troubleOf(client.fetch('/api/profile'))).toBe('unavailable');
    await pass(10 * MINUTE);
    expect(await statusOf(clientOf(server, storage))).toBe(200);
    expect(server.thefts).toBe(0);
  });

  test('makes a stale token do', async () => {
    refreshesIn('clear');
    expect(await statusOf()).toBe(200);
    await pass(LIFETIME - MINUTE);
    server.weather = ({ path }) => (path === '/api/token/refresh' ? 'offline' : 'clear');
    expect(await statusOf()).toBe(200);
    expect(client.session.status).toBe('in');
    await pass(MINUTE);
  });

  test('a wait ends with the signal of its caller alone', async () => {
    refreshesIn('silence');
    const impatient = new AbortController();
    const first = settled(client.fetch('/api/profile', { signal: impatient.signal }));
    const second = client.fetch('/api/profile');
    await pass(100);
    impatient.abort(new Error('enough'));
    expect(await first).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
    expect((await done(second)).status).toBe(200);
    await expect(client.fetch('/api/profile', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('a refusal', () => {
  beforeEach(() => done(client.login(ADA)));

  test('of the server ends the session, once and for good', async () => {
    const shown: unknown[] = [];
    const stop = client.subscribe((session) => shown.push(session));
    server.revoke('session0');
    expect(await statusOf()).toBe(401);
    expect(client.session).toEqual({ status: 'out', reason: 'refused' });
    expect(shown).toEqual([{ status: 'out', reason: 'refused' }]);
    expect(await storage.read()).toBeNull();
    expect(await client.accessToken()).toBeUndefined();
    stop();
    await done(client.login(ADA));
    expect(shown).toHaveLength(1);
  });

  test('keeps a request back that would go out as nobody', async () => {
    await pass(LIFETIME);
    server.revoke('session0');
    expect(await troubleOf(client.fetch('/api/profile', { method: 'POST', body: 'a draft' }))).toBe('ended');
    expect(server.asked.filter(({ path }) => path === '/api/profile')).toHaveLength(0);
  });

  test('keeps a request back that would go out as somebody else', async () => {
    await pass(LIFETIME);
    refreshesIn('silence');
    const draft = troubleOf(client.fetch('/api/profile', { method: 'POST', body: 'a draft of ada' }));
    await pass(100);
    await done(client.login({ ...ADA, username: 'bob' }));
    expect(await draft).toBe('ended');
    expect(server.asked.filter(({ path }) => path === '/api/profile')).toHaveLength(0);
  });
});

describe('logging out', () => {
  beforeEach(() => done(client.login(ADA)));

  test('ends the session here and on the server', async () => {
    await done(client.logout());
    expect(client.session).toEqual({ status: 'out', reason: 'logout' });
    expect(server.isAlive('session0')).toBe(false);
    expect(await storage.read()).toBeNull();
    expect(await statusOf()).toBe(401);
    expect(server.asked.at(-1)?.authorization).toBeNull();
    await done(client.logout());
  });

  test('ends it here whatever the network does', async () => {
    server.weather = () => 'silence';
    const logout = client.logout();
    await pass(1);
    expect(client.session.status).toBe('out');
    expect(await storage.read()).toBeNull();
    await done(logout);
  });

  test('of a page that has read nothing yet ends what storage has', async () => {
    await done(clientOf(server, storage).logout());
    expect(server.isAlive('session0')).toBe(false);
    expect(await storage.read()).toBeNull();
  });

  test.each([0, 50, 100, 150, 199, 250])('during a refresh is not undone by its answer (%i ms)', async (moment) => {
    await pass(LIFETIME);
    server.delay = () => new Promise((resolve) => setTimeout(resolve, 100));
    const waiting = troubleOf(client.fetch('/api/profile'));
    await pass(moment);
    await done(client.logout());
    await waiting;
    await pass(MINUTE);
    expect(client.session.status).toBe('out');
    expect(await storage.read()).toBeNull();
    expect(server.isAlive('session0')).toBe(false);
  });

  test('is final for this client where storage will not forget, and says what went wrong', async () => {
    const stubborn: SessionStorage = {
      read: () => storage.read(),
      write: (text) => {
        if (text === null) throw new Error('locked');
        return storage.write(text);
      },
    };
    const one = clientOf(server, stubborn);
    expect((await one.ready()).status).toBe('in');
    await expect(done(one.logout())).rejects.toThrow('locked');
    expect(one.session.status).toBe('out');
    expect(await statusOf(one)).toBe(401);
    expect(server.isAlive('session0')).toBe(false);
  });
});

describe('storage', () => {
  test('has the new pair before anything is sent with it', async () => {
    await done(client.login(ADA));
    let isKept = true;
    const slow: SessionStorage = {
      read: () => storage.read(),
      async write(text) {
        isKept = false;
        await new Promise((resolve) => setTimeout(resolve, 500));
        await storage.write(text);
        isKept = true;
      },
    };
    const one = clientOf(server, slow);
    const sentWhile: boolean[] = [];
    server.weather = ({ path }) => {
      if (path === '/api/profile') sentWhile.push(isKept);
      return 'clear';
    };
    await pass(LIFETIME);
    expect(await statusOf(one)).toBe(200);
    expect(sentWhile).toEqual([true]);
  });

  test('that got a newer pair from another tab outweighs the refusal of the older one', async () => {
    await done(client.login(ADA));
    const older = String(await storage.read());
    await pass(LIFETIME);
    expect(await statusOf()).toBe(200);
    const newer = String(await storage.read());
    const shared = memoryStorage();
    await shared.write(older);
    const one = createClient({
      baseUrl: BASE_URL,
      storage: shared,
      fetch: async (input, init) => {
        if (input !== `${BASE_URL}/api/token/refresh`) return server.fetch(input, init);
        await shared.write(newer);
        return Response.json({ code: 'token_not_valid' }, { status: 401 });
      },
    });
    expect(await statusOf(one)).toBe(200);
    expect(await shared.read()).toBe(newer);
  });

  test('that cannot be read leaves the session unknown, and is asked again', async () => {
    await done(client.login(ADA));
    let isLocked = true;
    const keychain: SessionStorage = {
      read: () => {
        if (isLocked) throw new Error('device is locked');
        return storage.read();
      },
      write: (text) => storage.write(text),
    };
    const one = clientOf(server, keychain);
    expect(await troubleOf(one.ready())).toBe('unavailable');
    expect(await troubleOf(one.fetch('/api/profile'))).toBe('unavailable');
    expect(one.session.status).toBe('unknown');
    isLocked = false;
    expect(await statusOf(one)).toBe(200);
    isLocked = true;
    await pass(LIFETIME);
    expect(await statusOf(one)).toBe(200);
  });

  test.each(['reads', 'nothing'])('that takes nothing and %s lets a session live in memory', async (what) => {
    const broken: SessionStorage = {
      read: () => {
        if (what === 'nothing') throw new Error('broken');
        return null;
      },
      write: () => Promise.reject(new Error('broken')),
    };
    const one = clientOf(server, broken);
    await done(one.login(ADA));
    for (let hour = 0; hour < 5; hour += 1) {
      expect(await statusOf(one)).toBe(200);
      await pass(60 * MINUTE);
    }
    expect(one.session.status).toBe('in');
    expect(server.thefts).toBe(0);
  });

  test('that stops taking pairs loses no session, not even when the page ends or another tab goes on', async () => {
    const browser = new Browser(server);
    const [one, two] = [browser.open(), browser.open()];
    await done(one.client.login(ADA));
    await pass(LIFETIME);
    browser.isFull = true;
    for (let round = 0; round < 4; round += 1) {
      expect(await statusOf(one.client)).toBe(200);
      expect(await statusOf(two.client)).toBe(200);
      await pass(LIFETIME);
    }
    const three = browser.open();
    expect(await statusOf(three.client)).toBe(200);
    browser.isFull = false;
    for (const tab of [one, two, three]) {
      await pass(LIFETIME);
      expect(await statusOf(tab.client)).toBe(200);
    }
    expect(server.thefts).toBe(0);
  });

  test.each(['', 'null', '[]', '{', '{"access":1,"refresh":2}', '{"access":"","refresh":"x"}'])(
    'that has %j has no session',
    async (text) => {
      const one = clientOf(server, { read: () => text, write: () => undefined });
      expect(await one.ready()).toEqual({ status: 'out', reason: 'none' });
    },
  );
});

describe('the device token of a login', () => {
  const devicesSent = () =>
    server.asked
      .filter(({ path }) => path === '/api/token')
      .map(({ body }) => (JSON.parse(body) as Record<string, unknown>)['device_token']);

  beforeEach(async () => {
    server.hasDevices = true;
    await done(client.login(ADA));
  });

  test('outlives refreshes, new passwords, log outs and the page, and goes out with the next login', async () => {
    await pass(LIFETIME);
    expect(await statusOf()).toBe(200);
    await done(client.changePassword({ current_password: 'right', new_password: 'new' }));
    await done(client.logout());
    expect(await storage.read()).toMatch(/^\{"at":\d+,"device_token":"device\.ada\.\d+"\}$/);
    const again = clientOf(server, storage);
    expect(await again.ready()).toEqual({ status: 'out', reason: 'none' });
    await done(again.login(ADA));
    expect(devicesSent()).toEqual([undefined, expect.stringMatching(/^device\.ada\./)]);
  });

  test('stays when the server ends the session, and is replaced by the one of another user', async () => {
    server.revoke('session0');
    expect(await statusOf()).toBe(401);
    await done(client.login({ ...ADA, username: 'bob' }));
    await done(client.logout());
    await done(client.login(ADA));
    expect(devicesSent()).toEqual([undefined, expect.stringMatching(/\.ada\./), expect.stringMatching(/\.bob\./)]);
  });

  test('goes with the session where storage has no room for less than all', async () => {
    const browser = new Browser(server);
    const { client: one } = browser.open();
    await done(one.login(ADA));
    browser.isFull = true;
    await done(one.logout());
    await pass(10);
    expect(browser.items.size).toBe(0);
    expect(one.session.status).toBe('out');
  });

  test('is seen by other tabs as a log out', async () => {
    const browser = new Browser(server);
    const [one, two] = [browser.open(), browser.open()];
    await done(one.client.login(ADA));
    await pass(10);
    await done(two.client.logout());
    await pass(10);
    expect(one.client.session).toEqual({ status: 'out', reason: 'elsewhere' });
  });
});

describe('a new password', () => {
  test('begins the session anew, and ends every other one', async () => {
    const other = clientOf(server);
    await done(other.login(ADA));
    await done(client.login(ADA));
    await pass(LIFETIME);
    const changed = await done(client.changePassword({ current_password: 'right', new_password: 'new' }));
    expect(changed).toEqual({ status: 'in', userId: 'ada', sessionId: 'session2' });
    expect(await statusOf()).toBe(200);
    expect(await troubleOf(other.fetch('/api/profile'))).toBe('ended');
    expect(other.session).toEqual({ status: 'out', reason: 'refused' });
  });

  test('is refused with the words of the server, and changes nothing', async () => {
    await done(client.login(ADA));
    const changed = client.changePassword({ current_password: 'wrong', new_password: 'new' });
    await expect(changed).rejects.toMatchObject({ kind: 'refused', status: 400 });
    expect(client.session).toMatchObject({ sessionId: 'session0' });
    expect(await statusOf()).toBe(200);
  });

  test('that was overtaken by a log out begins nothing', async () => {
    await done(client.login(ADA));
    server.delay = () => new Promise((resolve) => setTimeout(resolve, 100));
    const changed = troubleOf(client.changePassword({ current_password: 'right', new_password: 'new' }));
    await pass(150);
    await done(client.logout());
    expect(await changed).toBe('ended');
    await pass(1000);
    expect(server.isAlive('session1')).toBe(false);
    expect(await storage.read()).toBeNull();
  });
});

describe('requests', () => {
  beforeEach(() => done(client.login(ADA)));
  const bearerIn = () => server.asked.at(-1)?.authorization;

  test.each([
    ['a path', '/api/echo?a=1'],
    ['a path without a slash', 'api/echo'],
    ['a URL', `${BASE_URL}/api/echo`],
    ['a URL object', new URL(`${BASE_URL}/api/echo`)],
    ['a request', new Request(`${BASE_URL}/api/echo`)],
  ])('carry the token to %s', async (_what, target) => {
    expect((await done(client.fetch(target))).status).toBe(200);
    expect(bearerIn()).toMatch(/^Bearer /);
  });

  test.each([
    'https://evil.example/api/echo',
    'http://auth.example/api/echo',
    'https://auth.example.evil.example/api/echo',
    'https://auth.example:444/api/echo',
    'https://auth.example@evil.example/api/echo',
    'https:\\\\evil.example\\api/echo',
    'https:/evil.example/api/echo',
  ])('carry no token to %s', async (target) => {
    const seen: (string | null)[] = [];
    const one = createClient({
      baseUrl: BASE_URL,
      storage,
      fetch: (_input, init) => {
        seen.push(new Headers(init?.headers).get('authorization'));
        return Promise.resolve(new Response());
      },
    });
    await one.fetch(target);
    if (!target.includes('@')) await one.fetch(new Request(target));
    expect(new Set(seen)).toEqual(new Set([null]));
  });

  test.each(['//evil.example/api/echo', '/\\evil.example/api/echo', '\t//evil.example/api/echo'])(
    'lead no path elsewhere: %j',
    async (path) => {
      const seen: string[] = [];
      const one = createClient({
        baseUrl: BASE_URL,
        storage,
        fetch: (input) => {
          seen.push(new URL(input instanceof Request ? input.url : input).origin);
          return Promise.resolve(new Response());
        },
      });
      await one.fetch(path);
      expect(seen).toEqual([BASE_URL]);
    },
  );

  test('carry the token to further origins that are named, and a path to the base URL alone', async () => {
    const seen: [string, string | null][] = [];
    const one = createClient({
      baseUrl: `${BASE_URL}/v1/`,
      origins: ['https://api.example/ignored'],
      storage,
      fetch: (input, init) => {
        seen.push([input as string, new Headers(init?.headers).get('authorization')]);
        return Promise.resolve(new Response());
      },
    });
    await one.fetch('https://api.example/things');
    await one.fetch('/api/profile');
    await one.fetch('https://api.example.evil.example/things');
    expect(seen.map(([url]) => url)).toEqual([
      'https://api.example/things',
      `${BASE_URL}/v1/api/profile`,
      'https://api.example.evil.example/things',
    ]);
    expect(seen.map(([, token]) => token !== null)).toEqual([true, true, false]);
  });

  test.each(['', 'auth.example', 'ftp://auth.example', 'https://', 'https://user@auth.example', 'https://a\\b'])(
    'need an API: %j is refused',
    (baseUrl) => {
      expect(() => createClient({ baseUrl })).toThrow(TypeError);
      expect(() => createClient({ baseUrl: BASE_URL, origins: [baseUrl] })).toThrow(TypeError);
    },
  );

  test('follow no redirect with a token, unless told to; the calls with refresh tokens never', async () => {
    await done(client.fetch('/api/echo'));
    expect(server.asked.at(-1)?.init.redirect).toBe('error');
    await done(client.fetch('/api/echo', { redirect: 'follow' }));
    expect(server.asked.at(-1)?.init.redirect).toBe('follow');
    expect(server.asked[0]?.init.redirect).toBe('error');
  });

  test('with credentials of their own are left alone', async () => {
    server.skew += LIFETIME_SECONDS;
    const token = await client.accessToken();
    const headers = { Authorization: `Bearer ${String(token)}` };
    expect((await done(client.fetch('/api/echo', { headers }))).status).toBe(401);
    expect(server.refreshes).toBe(0);
  });

  test.each<[string, () => RequestInit['body'], string]>([
    ['a text', () => 'text', 'text'],
    ['bytes', () => new Uint8Array([104, 105]), 'hi'],
    ['a form', () => new URLSearchParams({ a: '1' }), 'a=1'],
    ['a blob', () => new Blob(['blob']), 'blob'],
  ])('go out again after a 401 with %s as it was', async (_what, body, text) => {
    server.skew += LIFETIME_SECONDS;
    const headers = { 'X-Own': '1' };
    const answer = await done(client.fetch('/api/echo', { method: 'POST', body: body()!, headers }));
    expect(await answer.json()).toMatchObject({ body: text });
    expect(new Headers(server.asked.at(-1)?.init.headers).get('x-own')).toBe('1');
  });

  test('go out again as a request whose body is read only once', async () => {
    server.skew += LIFETIME_SECONDS;
    const request = new Request(`${BASE_URL}/api/echo`, { method: 'POST', body: 'text', headers: { 'X-Own': '1' } });
    const answer = await done(client.fetch(request));
    expect(await answer.json()).toMatchObject({ body: 'text' });
    expect(new Headers(server.asked.at(-1)?.init.headers).get('x-own')).toBe('1');
  });

  test('with a stream go out once, and the next one has a good token', async () => {
    server.skew += LIFETIME_SECONDS;
    const body = new Blob(['stream']).stream();
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    expect((await done(client.fetch('/api/echo', init))).status).toBe(401);
    expect(server.refreshes).toBe(1);
    expect(await statusOf()).toBe(200);
  });
});
