import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { webStorage, type Locks } from '../../client/src/latchkey.ts';
import { AuthServer, LIFETIME_SECONDS } from '../support/client/auth-server.ts';
import { Browser, type Tab } from '../support/client/browser.ts';
import { aTab, happen, happenings } from '../support/client/happenings.ts';
import { count } from '../support/counts.ts';
import { randomFrom } from '../support/random.ts';
import { SEED } from '../support/seed.ts';

const ADA = { username: 'ada', password: 'right' };
const LIFETIME = LIFETIME_SECONDS * 1000;
/** Longer than a write takes to the other tabs, and one of theirs that crossed it comes back. */
const HEARD = 20;

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

/** Lets everything that is under way come to its end. */
async function settle(): Promise<void> {
  for (let step = 0; step < 20; step += 1) await pass(step < 10 ? 5 : 15_000);
}

const profileOf = async ({ client }: Tab): Promise<number | string> => {
  const answer = client.fetch('/api/profile').then(
    ({ status }) => status,
    (error: unknown) => String((error as { kind?: string }).kind),
  );
  await settle();
  return answer;
};

async function loggedIn(browser: Browser, tabs: number): Promise<Tab[]> {
  const [first, ...others] = Array.from({ length: tabs }, () => browser.open());
  await first!.client.login(ADA);
  await Promise.all(others.map(({ client }) => client.ready()));
  await pass(10);
  return [first!, ...others];
}

describe.each([true, false])('tabs of a browser with Web Locks: %s', (hasLocks) => {
  test('whose tokens end together all go on, with one new pair', async () => {
    const tabs = await loggedIn(new Browser(server, { hasLocks }), 3);
    server.delay = () => new Promise((resolve) => setTimeout(resolve, 200));
    await pass(LIFETIME);
    const answers = tabs.map(({ client }) => client.fetch('/api/profile'));
    await settle();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
    const refreshed = server.asked.filter(({ path }) => path === '/api/token/refresh');
    expect(refreshed).toHaveLength(hasLocks ? 1 : 3);
    expect(server.sessions.get('session0')?.current).toBe(1);
    expect(server.thefts).toBe(0);
  });

  test('see that another one logged in, and out', async () => {
    const browser = new Browser(server, { hasLocks });
    const tabs = await loggedIn(browser, 3);
    expect(tabs.map(({ client }) => client.session.status)).toEqual(['in', 'in', 'in']);
    await tabs[1]!.client.logout();
    await pass(10);
    expect(tabs.map(({ client }) => client.session)).toEqual([
      { status: 'out', reason: 'elsewhere' },
      { status: 'out', reason: 'logout' },
      { status: 'out', reason: 'elsewhere' },
    ]);
    await tabs[2]!.client.login({ ...ADA, username: 'bob' });
    await pass(10);
    expect(tabs.map(({ client }) => client.session)).toEqual(
      Array(3).fill({ status: 'in', userId: 'bob', sessionId: 'session1' }),
    );
    expect(tabs[0]!.shown).toEqual(['out', 'in', 'out', 'in']);
  });

  test.each([0, 50, 150, 250, 400])('stay logged out when one was refreshing meanwhile (%i ms)', async (moment) => {
    const browser = new Browser(server, { hasLocks });
    const [one, two] = await loggedIn(browser, 2);
    server.delay = () => new Promise((resolve) => setTimeout(resolve, 150));
    await pass(LIFETIME);
    one!.client.fetch('/api/profile').catch(() => undefined);
    await pass(moment);
    void two!.client.logout();
    await settle();
    expect([one, two].map((tab) => tab!.client.session.status)).toEqual(['out', 'out']);
    expect(browser.items.size).toBe(0);
    expect(server.isAlive('session0')).toBe(false);
  });

  test('stay logged out when one stored a new pair before it heard of it, and the server did not hear', async () => {
    for (let moment = 290; moment < 315; moment += 1) {
      const browser = new Browser(server, { hasLocks });
      const [one, two] = await loggedIn(browser, 2);
      server.delay = () => new Promise((resolve) => setTimeout(resolve, 150));
      await pass(LIFETIME);
      server.weather = ({ path }) => (path === '/api/token/blacklist' ? 'offline' : 'clear');
      one!.client.fetch('/api/profile').catch(() => undefined);
      await pass(moment);
      void two!.client.logout();
      await settle();
      expect([one, two].map((tab) => tab!.client.session.status)).toEqual(['out', 'out']);
      expect(browser.items.size).toBe(0);
      server.delay = () => Promise.resolve();
    }
  });

  test('go on where one was closed in the middle of a refresh', async () => {
    const [one, two] = await loggedIn(new Browser(server, { hasLocks }), 2);
    await pass(LIFETIME);
    server.delay = () => new Promise((resolve) => setTimeout(resolve, 150));
    one!.client.fetch('/api/profile').catch(() => undefined);
    await pass(200);
    one!.kill();
    await pass(600_000);
    expect(await profileOf(two!)).toBe(200);
    expect(server.thefts).toBe(0);
  });

  test('go on whatever happens, and only a logout or the server ends a session', async () => {
    jest.useRealTimers();
    const weathers = ['offline', 'cut', 'portal', 'page', 'silence', 429, 500, 503] as const;
    const step = fc.oneof(
      ...happenings(weathers, [20, 900, 20_000, 60_000, LIFETIME, 7_200_000]),
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('clock' as const),
          ms: fc.constantFrom(-86_400_000, -60_000, 60_000, 86_400_000),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('disk' as const), isFull: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('logout' as const), tab: aTab }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.boolean(),
        fc.boolean(),
        fc.nat(),
        async (steps, endsInLogout, hasDevices, luck) => {
          fakeTime();
          jest.spyOn(Math, 'random').mockImplementation(randomFrom(luck));
          server = new AuthServer();
          server.hasDevices = hasDevices;
          const browser = new Browser(server, { hasLocks });
          const tabs = await loggedIn(browser, 3);
          let isWanted = true;
          for (const one of steps) {
            if (one.do === 'clock') jest.setSystemTime(Date.now() + one.ms);
            else if (one.do === 'disk') browser.isFull = one.isFull;
            else if (one.do === 'logout') {
              isWanted = false;
              tabs[one.tab]!.client.logout().catch(() => undefined);
              // Until every tab has heard of it. Where neither they nor the server do, because its tab is closed first, a
              // refresh of theirs goes on.
              await pass(HEARD);
            } else await happen(one, { server, browser, tabs, pass });
          }
          await settle();
          browser.isFull = false;
          server.weather = () => 'clear';
          server.delay = () => Promise.resolve();
          if (endsInLogout) {
            isWanted = false;
            void tabs[0]!.client.logout();
          }
          await settle();
          const answers = await Promise.all(tabs.map((one) => profileOf(one)));
          expect(server.thefts).toBe(0);
          expect(answers).toEqual(Array(3).fill(isWanted ? 200 : 401));
          expect(new Set(tabs.map(({ client }) => client.session.status))).toEqual(new Set([isWanted ? 'in' : 'out']));
          if (!isWanted) expect(String(browser.items.get('latchkey'))).not.toMatch(/access|refresh/);
          if (!isWanted && !hasDevices) expect(browser.items.size).toBe(0);
          jest.useRealTimers();
        },
      ),
      { numRuns: count(150, 3000), seed: SEED },
    );
  });
});

test('a lock that another tab holds for ever holds up nobody for ever', async () => {
  const locks: Locks = {
    request: (_name, { signal }) =>
      new Promise((_, reject) => {
        expect(signal.aborted).toBe(false);
        reject(new DOMException('not in time', 'AbortError'));
      }),
  };
  const storage = webStorage('key', { localStorage: pageStorage(), navigator: { locks } });
  const run = jest.fn(() => Promise.resolve());
  await storage.exclusively?.(run);
  expect(run).toHaveBeenCalledTimes(1);
});

test('a lock that comes before what its last holder wrote is not used before that has come, with the clock set back', async () => {
  const items = pageStorage();
  const locks: Locks = {
    request: async (_name, _options, run) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      jest.setSystemTime(0);
      await run();
    },
  };
  setTimeout(() => items.setItem('key', 'new'), 75);
  const storage = webStorage('key', { localStorage: items, navigator: { locks } });
  let seen: unknown;
  const done = storage.exclusively?.(async () => {
    seen = await storage.read();
  });
  await pass(300);
  await done;
  expect(seen).toBe('new');
});

test('what fails under the lock fails once, with its own reason', async () => {
  const locks: Locks = { request: (_name, _options, run) => run() };
  const storage = webStorage('key', { localStorage: pageStorage(), navigator: { locks } });
  const run = jest.fn(() => Promise.reject(new Error('offline')));
  const failed = expect(storage.exclusively?.(run)).rejects.toThrow('offline');
  await pass(1);
  await failed;
  expect(run).toHaveBeenCalledTimes(1);
});

test('a page whose browser blocks storage keeps a session in memory', async () => {
  const blocked = Object.defineProperty({}, 'localStorage', {
    get() {
      throw new DOMException('blocked', 'SecurityError');
    },
  });
  for (const page of [blocked, {}]) {
    const storage = webStorage('key', page);
    await storage.write('text');
    expect(await storage.read()).toBe('text');
  }
});

test('a tab listens to its own key and to a cleared storage, until it is closed', () => {
  const listeners = new Set<(event: { key: string | null }) => void>();
  const storage = webStorage('key', {
    localStorage: pageStorage(),
    addEventListener: (_type, listener) => void listeners.add(listener),
    removeEventListener: (_type, listener) => void listeners.delete(listener),
  });
  const changed = jest.fn();
  const stop = storage.watch?.(changed);
  for (const key of ['other', 'key', null]) listeners.forEach((listener) => listener({ key }));
  expect(changed).toHaveBeenCalledTimes(2);
  stop?.();
  expect(listeners.size).toBe(0);
});

function pageStorage() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, text: string) => void items.set(key, text),
    removeItem: (key: string) => void items.delete(key),
  };
}
