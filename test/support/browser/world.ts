/** One deployment, one wire to it and one browser, for all tests of a file. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { PASSWORD, aGateway, type TestGateway } from '../local-gateway.ts';
import { wireTo, type Wire } from '../wire.ts';
import { startChromium } from './chromium.ts';

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
  /** Ends what a test has opened. */
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
  const wire = await wireTo(api.url);
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
    profile: (options) => profileOf(browser, options),
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
    },
    close: async () => {
      await browser.close();
      await wire.close();
      await api.close();
    },
  };
}

/** Its clock goes on as ever, but can be put forward. */
async function profileOf(browser: Browser, options?: BrowserContextOptions): Promise<BrowserContext> {
  const profile = await browser.newContext(options);
  await profile.clock.install();
  return profile;
}

/** Logs in as somebody at a keyboard would. */
export async function logIn(page: Page, username: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('Username', { exact: true }).fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `Hello, ${username}` }).waitFor();
}
