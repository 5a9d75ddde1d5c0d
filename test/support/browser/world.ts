/** One deployment, one wire to it and one browser, for all tests of a file. */
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { PASSWORD, aGateway, type TestGateway } from '../local-gateway.ts';
import { wireTo, type Wire } from '../wire.ts';
import { PATIENCE_MS, startChromium } from './chromium.ts';

/** Where the demo page keeps the refresh token. */
export type Mode = 'storage' | 'cookie';

export interface BrowserWorld {
  readonly api: TestGateway;
  readonly wire: Wire;
  /** A browser of its own for each test: nothing is shared with another one. */
  profile(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** The demo page in a new tab, once it knows whether somebody is logged in. */
  open(profile: BrowserContext, mode: Mode): Promise<Page>;
  /** The demo page in a new tab, with a user of its own logged in. */
  openLoggedIn(profile: BrowserContext, mode: Mode): Promise<Page>;
  /** Ends what a test has opened. @throws {Error} where a page threw, or the demo page wanted what its policy forbids */
  closeProfiles(): Promise<void>;
  close(): Promise<void>;
}

/** How long access tokens are good, in seconds: less than the ten minutes of a tunnel. */
export const LIFETIME_SECONDS = 300;

export const LOGIN = 'POST /api/token';
export const REFRESH = 'POST /api/token/refresh';

/** @param executable of Chromium */
export async function browserWorld(executable: string): Promise<BrowserWorld> {
  const [api, browser] = await Promise.all([
    aGateway({ ACCESS_TOKEN_LIFETIME_SECONDS: String(LIFETIME_SECONDS) }),
    startChromium(executable),
  ]);
  await warmUp(api);
  const wire = await wireTo(api.url);
  const faults: string[] = [];
  let users = 0;
  const open: BrowserWorld['open'] = async (profile, mode) => {
    const page = await profile.newPage();
    await page.goto(`${wire.url}/?mode=${mode}`);
    await page.locator('#in, #out').filter({ visible: true }).waitFor();
    return page;
  };
  return {
    api,
    wire,
    async profile(options) {
      const profile = await browser.newContext(options);
      profile.setDefaultTimeout(PATIENCE_MS);
      profile.on('weberror', (fault) => faults.push(String(fault.error())));
      profile.on('console', (line) => {
        // Answers that are no success are lines of the console too.
        const isFault = line.type() === 'error' && !line.text().startsWith('Failed to load resource');
        if (isFault && line.page()?.url().startsWith(wire.url)) faults.push(line.text());
      });
      return profile;
    },
    open,
    openLoggedIn: async (profile, mode) => {
      const username = `user-${(users += 1)}`;
      await api.user(username);
      const page = await open(profile, mode);
      await logIn(page, username);
      return page;
    },
    closeProfiles: async () => {
      await Promise.all(browser.contexts().map((profile) => profile.close()));
      const found = faults.splice(0);
      if (found.length > 0) throw new Error(found.join('; '));
    },
    close: async () => {
      await browser.close();
      await wire.close();
      await api.close();
    },
  };
}

/** On a busy machine the first start of some functions takes longer than the gateway waits for them. */
async function warmUp(api: TestGateway): Promise<void> {
  await api.user('first');
  const { access } = await api.login('first');
  for (let tried = 0; tried < 10; tried += 1) {
    const { status } = await api.get('/api/profile', { Authorization: `Bearer ${access}` });
    if (status === 200) return;
  }
  throw new Error('The functions do not start in time.');
}

/**
 * Lets time pass for all tabs of a profile. From then on it stands still: with clocks of their own, which are never quite the
 * same, a tab would hold what another has just written for news from the future.
 */
export const pass = (profile: BrowserContext, seconds: number): Promise<void> =>
  profile.clock.setFixedTime(Date.now() + seconds * 1000);

/** Fills in the form and sends it. */
export async function sendLogin(page: Page, username: string, password = PASSWORD): Promise<void> {
  await field(page, 'Username').fill(username);
  await field(page, 'Password').fill(password);
  await page.keyboard.press('Enter');
}

/** Logs in, and waits until the page knows who it is and which devices they have. */
export async function logIn(page: Page, username: string): Promise<void> {
  await sendLogin(page, username);
  await page.getByRole('heading', { name: `Hello, ${username}` }).waitFor();
  await page.locator('#devices li').first().waitFor();
  // A login before this one may have left both there; what it asked for is listed with … until it was answered.
  await page.locator('#requests li').filter({ hasText: /…$/ }).first().waitFor({ state: 'detached' });
}

/** A field of the demo page, by its label; the other views are not seen. */
export const field = (page: Page, label: string) => page.getByLabel(label, { exact: true }).filter({ visible: true });

/** A button of the demo page. */
export const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Waits until the page says a sentence. */
export const said = (page: Page, sentence: string): Promise<void> =>
  page.getByRole('status').filter({ hasText: sentence }).waitFor();

/** Makes a request of the page's own, and waits until it was answered. */
export async function callApi(page: Page): Promise<void> {
  await button(page, 'Call the API').click();
  await said(page, 'The API answered');
}

/** A claim of the access token that the page has, as it was last shown. */
export async function claim(page: Page, name: 'sid' | 'jti'): Promise<string> {
  const text = (await page.locator('#token-claims').textContent()) ?? '';
  const [, value] = new RegExp(`"${name}": "([^"]+)"`).exec(text) ?? [];
  if (value === undefined) throw new Error(`The page shows no ${name}.`);
  return value;
}

/** The view that the page shows: somebody is logged in, or nobody is. */
export const view = async (page: Page): Promise<'in' | 'out'> =>
  (await page.locator('#in').isVisible()) ? 'in' : 'out';
