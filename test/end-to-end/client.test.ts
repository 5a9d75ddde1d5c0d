import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { setStatus } from '../../infra/cli/accounts.ts';
import { Browser, type Tab } from '../support/client/browser.ts';
import { aGateway, PASSWORD, type TestGateway } from '../support/local-gateway.ts';
import { wireTo, type Wire } from '../support/wire.ts';

let api: TestGateway;
let wire: Wire;

beforeAll(async () => {
  api = await aGateway();
  wire = await wireTo(api.url);
  await api.user('ada');
});
afterAll(async () => {
  await wire.close();
  await api.close();
});
afterEach(() => {
  wire.cuts = () => false;
});

const ADA = { username: 'ada', password: PASSWORD };
const REFRESH = 'POST /api/token/refresh';

const browser = () => new Browser({ fetch }, { baseUrl: wire.url });

/** Tabs of one browser in which somebody is logged in, with tokens that have come to their end. */
async function tabsWithOldTokens(of: Browser, tabs: number): Promise<Tab[]> {
  await of.open().client.login(ADA);
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const [key, text] of of.items) {
    of.items.set(key, JSON.stringify({ ...(JSON.parse(text) as object), at: Date.now() - 3_600_000 }));
  }
  return Array.from({ length: tabs }, () => of.open());
}

const refreshesDuring = async (act: () => Promise<unknown>): Promise<number> => {
  const before = wire.passed.length;
  await act();
  return wire.passed.slice(before).filter((line) => line === REFRESH).length;
};

const statusOf = async ({ client }: Tab) => (await client.fetch('/api/profile')).status;

describe('the client against the deployed bundles', () => {
  test('logs in, calls a protected API, and logs out', async () => {
    const tab = browser().open();
    await expect(tab.client.login({ ...ADA, password: 'not the password of ada' })).rejects.toMatchObject({
      kind: 'refused',
      status: 401,
      problem: { detail: 'No active account found with the given credentials' },
    });
    const session = await tab.client.login(ADA);
    expect(session).toMatchObject({ status: 'in', userId: expect.any(String), sessionId: expect.any(String) });
    const profile = await tab.client.fetch('/api/profile');
    expect(await profile.json()).toMatchObject({ username: 'ada' });
    const token = await tab.client.accessToken();
    await tab.client.logout();
    expect((await api.get('/api/profile', { Authorization: `Bearer ${String(token)}` })).status).toBe(401);
    expect(await statusOf(tab)).toBe(401);
  });

  test('refreshes once for all tabs whose tokens end together', async () => {
    const shared = browser();
    const tabs = await tabsWithOldTokens(shared, 5);
    const refreshes = await refreshesDuring(async () => {
      const answers = await Promise.all(tabs.flatMap((tab) => [statusOf(tab), statusOf(tab), statusOf(tab)]));
      expect(answers).toEqual(Array(15).fill(200));
    });
    expect(refreshes).toBe(1);
    expect(new Set(await Promise.all(tabs.map(({ client }) => client.accessToken()))).size).toBe(1);
  });

  test('succeeds after a refresh whose answer was lost, in the same tab and in a new one', async () => {
    const shared = browser();
    for (let round = 0; round < 2; round += 1) {
      const [tab] = await tabsWithOldTokens(shared, 1);
      let lost = 0;
      wire.cuts = (line) => line === REFRESH && (lost += 1) <= 1;
      expect(await statusOf(tab!)).toBe(200);
      expect(lost).toBeGreaterThan(1);

      const [victim, next] = await tabsWithOldTokens(shared, 2);
      wire.cuts = (line) => line === REFRESH;
      await expect(victim!.client.fetch('/api/profile')).rejects.toMatchObject({ kind: 'unavailable' });
      victim!.kill();
      wire.cuts = () => false;
      expect(await statusOf(next!)).toBe(200);
      expect(next!.client.session.status).toBe('in');
    }
    expect(api.logs.join('\n')).not.toContain('theft');
  });

  test('is logged out by a definite no, in every tab', async () => {
    await api.user('eve');
    const shared = browser();
    const [one, two] = [shared.open(), shared.open()];
    await two.client.ready();
    await one.client.login({ ...ADA, username: 'eve' });
    await setStatus(api.access, 'eve', 'disabled');
    expect(await statusOf(one)).toBe(401);
    expect(one.client.session).toEqual({ status: 'out', reason: 'refused' });
    while (two.client.session.status !== 'out') await new Promise((resolve) => setTimeout(resolve, 5));
    // What is left tells the server at the next login that it knows this device, and lets nobody in.
    expect([...shared.items.values()].join()).not.toMatch(/access|refresh/);
  });
});
