import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { button, callApi, claim, said, view, type BrowserWorld } from '../support/browser/world.ts';
import { count } from '../support/counts.ts';
import { serve, type TestServer } from '../support/http-server.ts';

const REFRESH_COOKIE = '__Host-latchkey-refresh';

/** What a page of somebody else's may hope to have an effect with. */
const TARGETS = ['/api/token/blacklist', '/api/token/refresh', '/api/password', '/api/token'].slice(0, count(2, 4));

export const cookieTests = (world: () => BrowserWorld): void =>
  describe('the cookie of the refresh token', () => {
    let elsewhere: TestServer;
    beforeAll(async () => {
      elsewhere = await serve(() => ({ headers: { 'Content-Type': 'text/html' }, body: '<p>A page.</p>' }));
    });
    afterAll(() => elsewhere.close());
    afterEach(() => world().closeProfiles());

    const refreshCookie = async (profile: BrowserContext) =>
      (await profile.cookies()).find(({ name }) => name === REFRESH_COOKIE);

    test('is seen by no script, has no double in any storage, and is gone after a log out', async () => {
      const profile = await world().profile();
      const page = await world().openLoggedIn(profile, 'cookie');
      const cookie = await refreshCookie(profile);
      expect(cookie).toMatchObject({ path: '/', httpOnly: true, secure: true, sameSite: 'Strict' });
      expect(await page.evaluate<string>('document.cookie')).toBe('');
      // No JWT of either kind.
      expect(await page.evaluate<string>('JSON.stringify([localStorage, sessionStorage])')).not.toContain('eyJ');

      await button(page, 'Log out').click();
      await said(page, 'You are logged out.');
      const told = page.locator('#requests li').filter({ hasText: /blacklist.*200/ });
      await told.waitFor();
      expect(await refreshCookie(profile)).toBeUndefined();
      const token = cookie?.value ?? '';
      expect(await world().api.post('/api/token/refresh', { refresh: token })).toMatchObject({ status: 401 });
    });

    test.each([
      ['another site', 'localhost', false],
      ['another origin of the same site', '127.0.0.1', true],
    ])('is of no use to a page of %s', async (_what, host, isSent) => {
      const profile = await world().profile();
      const page = await world().openLoggedIn(profile, 'cookie');
      const [session, before] = [await claim(page, 'sid'), await refreshCookie(profile)];
      expect(before).toBeDefined();
      const attack = await profile.newPage();
      const origin = elsewhere.url.replace('127.0.0.1', host);

      const from = world().wire.passed.length;
      for (const path of TARGETS) {
        for (const type of ['application/x-www-form-urlencoded', 'text/plain']) {
          await attack.goto(origin);
          await submitForm(attack, world().wire.url + path, type);
        }
        await attack.goto(origin);
        for (const init of FETCHES) expect(await readBy(attack, world().wire.url + path, init)).toBe('');
      }

      const arrived = world()
        .wire.passed.slice(from)
        .flatMap((line, at) => {
          const headers = world().wire.headers[from + at];
          return line.startsWith('POST') ? [{ line, cookie: headers?.cookie ?? '' }] : [];
        });
      expect(new Set(arrived.map(({ line }) => line))).toEqual(new Set(TARGETS.map((path) => `POST ${path}`)));
      expect(arrived.some(({ cookie }) => cookie.includes(REFRESH_COOKIE))).toBe(isSent);
      expect((await refreshCookie(profile))?.value).toBe(before?.value);
      await button(page, 'Refresh now').click();
      await callApi(page);
      expect(await view(page)).toBe('in');
      expect(await claim(page, 'sid')).toBe(session);
    });
  });

/** Sends a form there, as any page may, and waits until the answer has taken its place. */
async function submitForm(page: Page, url: string, type: string): Promise<void> {
  await page.evaluate(`{
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action: ${JSON.stringify(url)}, enctype: ${JSON.stringify(type)} });
    document.body.append(form);
    form.submit();
  }`);
  await page.waitForURL(url);
}

/** As far as a browser lets a page go: what it sends as it is, and what it asks about first. */
const FETCHES = [
  `{ mode: 'no-cors', headers: { 'X-Latchkey-Mode': 'cookie' } }`,
  `{ headers: { 'Content-Type': 'text/plain' }, body: '{}' }`,
  `{ headers: { 'Content-Type': 'application/json', 'X-Latchkey-Mode': 'cookie' }, body: '{}' }`,
];

/** What a page can read of the answer to a request with cookies; nothing where the browser keeps it back. */
const readBy = (page: Page, url: string, init: string): Promise<string> =>
  page.evaluate<string>(
    `fetch(${JSON.stringify(url)}, { method: 'POST', credentials: 'include', ...${init} }).then((answer) => answer.text(), () => '')`,
  );
