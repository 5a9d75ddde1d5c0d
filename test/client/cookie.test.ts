import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import {
  AuthServer,
  DEVICE_COOKIE,
  LIFETIME_SECONDS,
  REFRESH_COOKIE,
  type Weather,
} from '../support/client/auth-server.ts';
import { Browser, type BrowserOptions, type Tab } from '../support/client/browser.ts';
import { aTab, happen, happenings } from '../support/client/happenings.ts';
import { count } from '../support/counts.ts';
import { randomFrom } from '../support/random.ts';
import { SEED } from '../support/seed.ts';

const ADA = { username: 'ada', password: 'right' };
const BOB = { ...ADA, username: 'bob' };
const MINUTE = 60_000;
const LIFETIME = LIFETIME_SECONDS * 1000;
const LOGOUT = '/api/token/blacklist';
const REFRESH = '/api/token/refresh';

let server: AuthServer;

const fakeTime = () =>
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'], now: 1_700_000_000_000 });
beforeEach(() => {
  fakeTime();
  server = new AuthServer();
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);
const waits = (milliseconds: number) => () => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
const browserOf = (options: BrowserOptions = {}) => new Browser(server, { isCookieMode: true, ...options });

/** Lets everything that is under way come to its end. */
async function settle(): Promise<void> {
  for (let step = 0; step < 25; step += 1) await pass(step < 10 ? 5 : 15_000);
}

/** What comes of something, as a word. */
const outcomeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => (value instanceof Response ? value.status : value),
    (error: unknown) => String((error as { kind?: string }).kind),
  );

/** The same, once everything has come to its end. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const word = outcomeOf(promise);
  await settle();
  return word;
}

const profileOf = ({ client }: Tab) => outcome(client.fetch('/api/profile'));
const statusesOf = (tabs: readonly Tab[]) => tabs.map(({ client }) => client.session.status);
const callsOf = (path: string) => server.asked.filter((asked) => asked.path === path);

async function loggedIn(browser: Browser, tabs: number): Promise<Tab[]> {
  const opened = Array.from({ length: tabs }, () => browser.open());
  await outcome(opened[0]!.client.login(ADA));
  await pass(100);
  return opened;
}

describe('a page whose refresh token is in a cookie', () => {
  test('never has it: it logs in, refreshes and logs out by cookie, with nothing in any body or storage', async () => {
    const browser = browserOf();
    const [tab] = await loggedIn(browser, 1);
    expect(await profileOf(tab!)).toBe(200);
    await pass(LIFETIME);
    expect(await profileOf(tab!)).toBe(200);
    expect(server.refreshes).toBe(1);
    expect(tab!.client.session).toEqual({ status: 'in', userId: 'ada', sessionId: 'session0' });
    expect(browser.items.size).toBe(0);
    await outcome(tab!.client.logout());
    expect(tab!.client.session).toEqual({ status: 'out', reason: 'logout' });
    expect(server.isAlive('session0')).toBe(false);
    expect([...browser.cookies.keys()]).toEqual([]);
    for (const { path, mode, init } of server.asked) {
      if (path === '/api/profile') expect([mode, init.credentials]).toEqual([null, undefined]);
      else expect([mode, init.credentials]).toEqual(['cookie', 'include']);
    }
    expect(server.asked.map(({ body }) => body).join()).not.toContain('refresh.');
  });

  test('finds out after a reload who is logged in, by a refresh', async () => {
    const browser = browserOf();
    const [tab] = await loggedIn(browser, 1);
    tab!.kill();
    const again = browser.open();
    expect(again.client.session).toEqual({ status: 'unknown' });
    expect(await outcome(again.client.ready())).toEqual({ status: 'in', userId: 'ada', sessionId: 'session0' });
    expect(await profileOf(again)).toBe(200);
    expect(server.refreshes).toBe(1);
  });

  test.each([
    ['no cookie', () => undefined],
    ['a session that was ended', () => server.revoke('session0')],
  ])('learns from %s that nobody is logged in', async (what, end) => {
    const browser = browserOf();
    await loggedIn(browser, 1);
    end();
    if (what === 'no cookie') browser.cookies.clear();
    const again = browser.open();
    expect(await outcome(again.client.ready())).toEqual({ status: 'out', reason: 'none' });
    expect(server.refreshes).toBe(1);
    expect(await profileOf(again)).toBe(401);
  });

  test.each<Weather>(['offline', 'cut', 'torn', 'portal', 'page', 'silence', 429, 500, 503])(
    'does not know after a reload with %s, and asks again',
    async (weather) => {
      const browser = browserOf();
      await loggedIn(browser, 1);
      server.weather = () => weather;
      const again = browser.open();
      expect(await outcome(again.client.ready())).toBe('unavailable');
      expect(await profileOf(again)).toBe('unavailable');
      expect(again.client.session.status).toBe('unknown');
      server.weather = () => 'clear';
      expect(await profileOf(again)).toBe(200);
      expect(server.thefts).toBe(0);
    },
  );

  test.each([400, 403])('stays as it is where the server refuses the mode with a %i', async (status) => {
    const browser = browserOf();
    const [tab] = await loggedIn(browser, 1);
    const { fetch } = server;
    Object.assign(server, {
      fetch: (input: string, init: RequestInit) =>
        input.endsWith(REFRESH) ? Promise.resolve(Response.json({ detail: 'no' }, { status })) : fetch(input, init),
    });
    const other = new Browser(server, { isCookieMode: true });
    expect(await outcome(other.open().client.ready())).toBe('unavailable');
    expect(tab!.client.session.status).toBe('in');
  });

  test.each<Weather>(['offline', 'cut', 'torn', 'portal', 'page', 'silence', 429, 500, 503])(
    'logs nobody out in ten minutes of %s',
    async (weather) => {
      const [tab] = await loggedIn(browserOf(), 1);
      await pass(LIFETIME);
      server.weather = () => weather;
      for (let minute = 0; minute < 10; minute += 1) {
        expect(await profileOf(tab!)).toBe('unavailable');
        await pass(MINUTE);
      }
      expect(tab!.client.session.status).toBe('in');
      server.weather = () => 'clear';
      expect(await profileOf(tab!)).toBe(200);
      expect(server.thefts).toBe(0);
    },
  );

  test('is told a device by its cookie alone, and keeps it when it logs out', async () => {
    server.hasDevices = true;
    const browser = browserOf();
    const [tab] = await loggedIn(browser, 1);
    const device = browser.cookies.get(DEVICE_COOKIE);
    expect(device).toMatch(/^device\.ada/);
    await outcome(tab!.client.logout());
    expect([...browser.cookies.keys()]).toEqual([DEVICE_COOKIE]);
    await outcome(tab!.client.login(ADA));
    expect(callsOf('/api/token').at(-1)?.cookies.get(DEVICE_COOKIE)).toBe(device);
    expect(JSON.parse(callsOf('/api/token').at(-1)!.body)).toEqual(ADA);
  });

  test('changes a password, for all its tabs, and ends every other session', async () => {
    const browser = browserOf();
    const tabs = await loggedIn(browser, 2);
    await loggedIn(browserOf(), 1);
    await pass(LIFETIME);
    const changed = tabs[0]!.client.changePassword({ current_password: 'right', new_password: 'new' });
    expect(await outcome(changed)).toMatchObject({ status: 'in', sessionId: 'session2' });
    expect(tabs.map(({ client }) => client.session)).toEqual(Array(2).fill(tabs[0]!.client.session));
    expect([0, 1, 2].map((sid) => server.isAlive(`session${sid}`))).toEqual([false, false, true]);
    expect(await profileOf(tabs[1]!)).toBe(200);
    await pass(LIFETIME);
    expect(await profileOf(tabs[1]!)).toBe(200);
    expect(await outcome(tabs[1]!.client.changePassword({ current_password: 'wrong', new_password: 'new' }))).toBe(
      'refused',
    );
    expect(statusesOf(tabs)).toEqual(['in', 'in']);
  });

  test('follows one login with another, of which the last counts', async () => {
    const browser = browserOf();
    const tab = browser.open();
    server.delay = waits(100);
    const first = outcome(tab.client.login(ADA));
    await pass(50);
    const second = tab.client.login(BOB);
    expect(await first).toBe('ended');
    expect(await outcome(second)).toMatchObject({ userId: 'bob' });
    expect(server.isAlive('session0')).toBe(false);
    expect(await profileOf(tab)).toBe(200);
  });
});

describe.each([
  ['all that a browser has', {}],
  ['no Web Locks', { hasLocks: false }],
  ['no channels', { hasChannels: false }],
  ['neither', { hasLocks: false, hasChannels: false }],
])('tabs that share a cookie, with %s', (_what, options: BrowserOptions) => {
  const { hasLocks = true, hasChannels = true } = options;

  test('and whose tokens end together all go on, with one new pair', async () => {
    const browser = browserOf(options);
    const tabs = await loggedIn(browser, 3);
    if (!hasChannels) await Promise.all(tabs.map((tab) => profileOf(tab)));
    const before = server.refreshes;
    for (const latency of [1, 6, 60]) {
      browser.messageMs = latency;
      await pass(LIFETIME);
      server.delay = waits(200);
      const answers = await Promise.all(tabs.map((tab) => profileOf(tab)));
      expect(answers).toEqual([200, 200, 200]);
      server.delay = waits(0);
    }
    expect(server.refreshes - before).toBe(hasLocks && hasChannels ? 3 : 9);
    const tokens = new Set(await Promise.all(tabs.map(({ client }) => client.accessToken())));
    if (hasChannels && hasLocks) expect(tokens.size).toBe(1);
    expect(server.thefts).toBe(0);
  });

  test('and are opened together ask once', async () => {
    const browser = browserOf(options);
    const [first] = await loggedIn(browser, 1);
    first!.kill();
    server.delay = waits(100);
    const tabs = Array.from({ length: 3 }, () => browser.open());
    const found = await Promise.all(tabs.map(({ client }) => outcome(client.ready())));
    expect(found).toEqual(Array(3).fill({ status: 'in', userId: 'ada', sessionId: 'session0' }));
    expect(server.refreshes).toBe(hasLocks && hasChannels ? 1 : 3);
    expect(server.thefts).toBe(0);
  });

  test('and one of which was closed in the middle of a refresh go on', async () => {
    const browser = browserOf(options);
    const [one, two] = await loggedIn(browser, 2);
    await pass(LIFETIME);
    server.delay = waits(150);
    one!.client.fetch('/api/profile').catch(() => undefined);
    await pass(200);
    one!.kill();
    await pass(10 * MINUTE);
    expect(await profileOf(two!)).toBe(200);
    expect(server.thefts).toBe(0);
  });
});

describe('tabs that share a cookie', () => {
  test('see that another one logged in, and out', async () => {
    const tabs = await loggedIn(browserOf(), 3);
    expect(statusesOf(tabs)).toEqual(['in', 'in', 'in']);
    void tabs[1]!.client.logout();
    await pass(10);
    expect(tabs.map(({ client }) => client.session)).toEqual([
      { status: 'out', reason: 'elsewhere' },
      { status: 'out', reason: 'logout' },
      { status: 'out', reason: 'elsewhere' },
    ]);
    expect(await outcome(tabs[2]!.client.login(BOB))).toMatchObject({ status: 'in', userId: 'bob' });
    expect(tabs.map(({ client }) => client.session)).toEqual(
      Array(3).fill({ status: 'in', userId: 'bob', sessionId: 'session1' }),
    );
    expect(tabs[0]!.shown).toEqual(['in', 'out', 'in']);
  });

  test('one that was just opened hears from the others, which were opened long ago and know more', async () => {
    const browser = browserOf();
    const [one] = await loggedIn(browser, 1);
    jest.setSystemTime(Date.now() - 86_400_000);
    server.skew += 86_400;
    const two = browser.open();
    await outcome(two.client.ready());
    expect(await outcome(two.client.login(BOB))).toMatchObject({ userId: 'bob' });
    expect(await profileOf(one!)).toBe(200);
    expect(one!.client.session).toMatchObject({ userId: 'bob' });
  });

  test.each([0, 50, 149, 150, 151, 200, 299, 300, 303, 306, 312, 400])(
    'stay logged out when one was refreshing meanwhile (%i ms)',
    async (moment) => {
      const browser = browserOf();
      const tabs = await loggedIn(browser, 3);
      server.delay = waits(150);
      await pass(LIFETIME);
      for (const { client } of tabs.slice(0, 2)) client.fetch('/api/profile').catch(() => undefined);
      await pass(moment);
      void tabs[2]!.client.logout();
      await settle();
      expect(statusesOf(tabs)).toEqual(['out', 'out', 'out']);
      expect(server.isAlive('session0')).toBe(false);
      expect(browser.cookies.has(REFRESH_COOKIE)).toBe(false);
      const again = browser.open();
      expect(await outcome(again.client.ready())).toMatchObject({ status: 'out' });
    },
  );

  test.each([0, 50, 150, 250, 300, 303, 350])(
    'have the one cookie of a login that came while another one refreshed (%i ms)',
    async (moment) => {
      const browser = browserOf();
      const tabs = await loggedIn(browser, 3);
      server.delay = waits(150);
      await pass(LIFETIME);
      tabs[0]!.client.fetch('/api/profile').catch(() => undefined);
      await pass(moment);
      expect(await outcome(tabs[1]!.client.login(BOB))).toMatchObject({ userId: 'bob' });
      await pass(LIFETIME);
      expect(await Promise.all(tabs.map((tab) => profileOf(tab)))).toEqual([200, 200, 200]);
      expect(tabs.map(({ client }) => client.session)).toEqual(
        Array(3).fill({ status: 'in', userId: 'bob', sessionId: 'session1' }),
      );
      expect(server.thefts).toBe(0);
    },
  );

  test('a login waits two seconds for a refresh that gets no answer, not a minute', async () => {
    const tabs = await loggedIn(browserOf(), 2);
    await pass(LIFETIME);
    server.weather = ({ path }) => (path === REFRESH ? 'silence' : 'clear');
    tabs[0]!.client.fetch('/api/profile').catch(() => undefined);
    await pass(100);
    const login = tabs[1]!.client.login(BOB);
    await pass(2500);
    expect(tabs[1]!.client.session).toMatchObject({ userId: 'bob' });
    await login;
  });

  test('a login waits no longer for a refresh of its own page', async () => {
    const [tab] = await loggedIn(browserOf(), 1);
    await pass(LIFETIME);
    server.weather = ({ path }) => (path === REFRESH ? 'silence' : 'clear');
    tab!.client.fetch('/api/profile').catch(() => undefined);
    await pass(100);
    const login = tab!.client.login(BOB);
    await pass(2500);
    expect(tab!.client.session).toMatchObject({ userId: 'bob' });
    await login;
  });

  test('a log out ends a login of another tab that was under way', async () => {
    const tabs = await loggedIn(browserOf(), 2);
    server.delay = waits(150);
    void tabs[0]!.client.login(BOB);
    await pass(50);
    void tabs[1]!.client.logout();
    await settle();
    expect(statusesOf(tabs)).toEqual(['out', 'out']);
    expect(server.isAlive('session1')).toBe(false);
  });

  test('a log out ends two logins of another tab that were under way, whichever paid for it', async () => {
    const browser = browserOf();
    const tabs = await loggedIn(browser, 2);
    server.delay = waits(300);
    const logins = [outcome(tabs[0]!.client.login(ADA)), outcome(tabs[0]!.client.login(BOB))];
    await pass(5);
    void tabs[1]!.client.logout();
    expect(await Promise.all(logins)).toEqual(['ended', expect.anything()]);
    expect(statusesOf(tabs)).toEqual(['out', 'out']);
    expect(browser.cookies.has(REFRESH_COOKIE)).toBe(false);
    expect(server.isAlive('session2')).toBe(false);
  });

  test('one that is opened while another gets no answer hears from a third that has a token', async () => {
    const browser = browserOf();
    await loggedIn(browser, 1);
    server.weather = ({ path }) => (path === REFRESH ? 'offline' : 'clear');
    const [one, two] = [browser.open(), browser.open()];
    void one.client.ready().catch(() => undefined);
    expect(await outcome(two.client.ready())).toMatchObject({ status: 'in', userId: 'ada' });
    expect(await profileOf(two)).toBe(200);
    expect(one.client.session.status).toBe('in');
  });

  test('a log out begins at once where another tab waits for an answer', async () => {
    const tabs = await loggedIn(browserOf(), 2);
    await pass(LIFETIME);
    server.weather = ({ path }) => (path === REFRESH ? 'silence' : 'clear');
    tabs[0]!.client.fetch('/api/profile').catch(() => undefined);
    await pass(100);
    void tabs[1]!.client.logout();
    await pass(500);
    expect(server.isAlive('session0')).toBe(false);
  });

  test.each(['logout', 'login', 'refresh'])(
    'one that is frozen with the lock holds up a %s for 20 seconds',
    async (what) => {
      const browser = browserOf();
      const [one, two] = await loggedIn(browser, 2);
      await pass(LIFETIME);
      one!.client.fetch('/api/profile').catch(() => undefined);
      one!.freeze();
      await pass(1000);
      const done = {
        logout: () => two!.client.logout(),
        login: () => two!.client.login(BOB),
        refresh: () => two!.client.fetch('/api/profile'),
      }[what]!().then(
        () => 'done',
        () => 'failed',
      );
      await pass(21_000);
      expect(await Promise.race([done, Promise.resolve('waits')])).toBe('done');
      one!.thaw();
      await settle();
      const expected = { logout: 'out', login: 'in', refresh: 'in' }[what];
      expect(statusesOf([one!, two!])).toEqual([expected, expected]);
      expect(one!.client.session).toMatchObject(what === 'login' ? { userId: 'bob' } : {});
      expect(await profileOf(one!)).toBe(what === 'logout' ? 401 : 200);
      expect(server.thefts).toBe(0);
    },
  );
});

describe('a log out that the server does not hear', () => {
  test.each<Weather>(['offline', 'portal', 'page', 'silence', 503])(
    'is owed, and done before anything else: %s',
    async (weather) => {
      const browser = browserOf();
      const tabs = await loggedIn(browser, 2);
      server.weather = () => weather;
      expect(await outcome(tabs[0]!.client.logout())).toBeUndefined();
      expect(statusesOf(tabs)).toEqual(['out', 'out']);
      expect(browser.cookies.has(REFRESH_COOKIE)).toBe(true);
      for (const tab of tabs) tab.kill();

      const offline = browser.open();
      expect(await outcome(offline.client.ready())).toEqual({ status: 'out', reason: 'none' });
      expect(await outcome(offline.client.login(ADA))).not.toBe('in');
      expect(offline.client.session.status).toBe('out');
      offline.kill();

      server.weather = () => 'clear';
      server.asked.length = 0;
      const again = browser.open();
      expect(await outcome(again.client.ready())).toEqual({ status: 'out', reason: 'none' });
      expect(server.asked.map(({ path }) => path)).toEqual([LOGOUT]);
      expect(server.isAlive('session0')).toBe(false);
      expect(browser.cookies.has(REFRESH_COOKIE)).toBe(false);
      expect(browser.items.size).toBe(0);
      expect(await outcome(again.client.login(BOB))).toMatchObject({ status: 'in', userId: 'bob' });
      expect(await profileOf(again)).toBe(200);
    },
  );

  test('is done before the next login of the same page', async () => {
    const browser = browserOf();
    const [tab] = await loggedIn(browser, 1);
    server.weather = () => 'offline';
    await outcome(tab!.client.logout());
    server.weather = () => 'clear';
    server.asked.length = 0;
    expect(await outcome(tab!.client.login(BOB))).toMatchObject({ userId: 'bob' });
    expect(server.asked.map(({ path }) => path)).toEqual([LOGOUT, '/api/token']);
    expect(server.isAlive('session0')).toBe(false);
  });

  test.each([{ hasStorage: false }, { hasStorage: true, isFull: true }])(
    'is remembered by the page itself where it has no room: %j',
    async ({ hasStorage, isFull = false }) => {
      const browser = browserOf({ hasStorage });
      browser.isFull = isFull;
      const [tab] = await loggedIn(browser, 1);
      server.weather = () => 'offline';
      await outcome(tab!.client.logout());
      server.weather = () => 'clear';
      expect(await profileOf(tab!)).toBe(401);
      expect(await outcome(tab!.client.login(BOB))).toMatchObject({ userId: 'bob' });
      expect(server.isAlive('session0')).toBe(false);
      await pass(LIFETIME);
      expect(await profileOf(tab!)).toBe(200);
    },
  );

  test('and whose page is closed at once, is done by the next one', async () => {
    const browser = browserOf();
    const [tab] = await loggedIn(browser, 1);
    server.delay = waits(100);
    void tab!.client.logout();
    await pass(10);
    tab!.kill();
    const again = browser.open();
    expect(await outcome(again.client.ready())).toEqual({ status: 'out', reason: 'none' });
    expect(server.isAlive('session0')).toBe(false);
  });
});

describe.each([
  ['all that a browser has', {}],
  ['no Web Locks', { hasLocks: false }],
  ['no channels', { hasChannels: false }],
])('a browser with %s', (_what, options: BrowserOptions) => {
  test('stays logged in until a log out or the server ends it, and never after', async () => {
    jest.useRealTimers();
    const weathers = ['offline', 'cut', 'torn', 'portal', 'page', 'silence', 429, 500, 503] as const;
    const isWhole = options.hasLocks !== false && options.hasChannels !== false;
    const step = fc.oneof(
      ...happenings(weathers, [3, 20, 900, 20_000, 60_000, LIFETIME, 7_200_000]),
      { weight: 1, arbitrary: fc.record({ do: fc.constant('latency' as const), ms: fc.constantFrom(1, 6, 60) }) },
      { weight: isWhole ? 2 : 0, arbitrary: fc.record({ do: fc.constant('login' as const), tab: aTab }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('logout' as const), tab: aTab }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.boolean(),
        fc.nat(),
        async (steps, endsInLogout, luck) => {
          fakeTime();
          jest.spyOn(Math, 'random').mockImplementation(randomFrom(luck));
          server = new AuthServer();
          const browser = browserOf(options);
          const tabs = await loggedIn(browser, 3);
          // Who logs in and out at the same time may end up either way; all tabs must agree, and with the server.
          let isWanted: boolean | undefined = true;
          let entering = 0;
          for (const one of steps) {
            if (one.do === 'latency') browser.messageMs = one.ms;
            else if (one.do === 'login') {
              // So may who logs in while another login is under way: it ends that one's session, and may fail itself.
              if (isWanted !== true || entering > 0) isWanted = undefined;
              entering += 1;
              void outcomeOf(tabs[one.tab]!.client.login(ADA)).then(() => (entering -= 1));
              await pass(5);
            } else if (one.do === 'logout') {
              isWanted = false;
              tabs[one.tab]!.client.logout().catch(() => undefined);
              await pass(5);
            } else await happen(one, { server, browser, tabs, pass });
          }
          await settle();
          server.weather = () => 'clear';
          server.delay = () => Promise.resolve();
          if (endsInLogout) {
            isWanted = false;
            void tabs[0]!.client.logout();
          }
          await settle();
          // Without channels a tab finds out when its token ends.
          await pass(LIFETIME);
          await Promise.all(tabs.map((one) => profileOf(one)));
          const answers = await Promise.all(tabs.map((one) => profileOf(one)));
          expect(server.thefts).toBe(0);
          if (isWanted !== undefined) expect(answers).toEqual(Array(3).fill(isWanted ? 200 : 401));
          expect(new Set(answers).size).toBe(1);
          expect(statusesOf(tabs)).toEqual(answers.map((status) => (status === 200 ? 'in' : 'out')));
          // What the cookie says after all that is what the tabs say.
          const fresh = browser.open();
          await outcome(fresh.client.ready());
          expect(fresh.client.session.status).toBe(statusesOf(tabs)[0]);
          jest.useRealTimers();
        },
      ),
      // A failure that takes long to be made smaller is told as it is by then.
      { numRuns: count(40, 3000), seed: SEED, interruptAfterTimeLimit: 500_000, markInterruptAsFailure: true },
    );
  });
});
