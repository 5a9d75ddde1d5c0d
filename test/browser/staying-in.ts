import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BrowserContext } from 'playwright-core';
import {
  LIFETIME_SECONDS,
  REFRESH,
  button,
  callApi,
  claim,
  pass,
  said,
  view,
  type BrowserWorld,
  type Mode,
} from '../support/browser/world.ts';

const PAST_ITS_END = LIFETIME_SECONDS + 60;
const TEN_MINUTES = 600;

export const stayingInTests = (mode: Mode, world: () => BrowserWorld): void =>
  describe(`with the refresh token in ${mode === 'cookie' ? 'a cookie' : 'storage'}`, () => {
    let profile: BrowserContext;
    beforeEach(async () => {
      profile = await world().profile();
    });
    afterEach(async () => {
      world().wire.cuts = () => false;
      await world().closeProfiles();
    });

    const refreshes = () => world().wire.passed.filter((line) => line === REFRESH).length;

    test('three tabs whose tokens end together send one refresh, and all stay logged in', async () => {
      const first = await world().openLoggedIn(profile, mode);
      const tabs = [first, await world().open(profile, mode), await world().open(profile, mode)];
      await pass(profile, PAST_ITS_END);
      const before = refreshes();
      // Answered once all of them want one.
      world().wire.cuts = async (line) => {
        if (line === REFRESH) await Promise.all(tabs.map((tab) => tab.locator('[aria-disabled=true]').waitFor()));
        return false;
      };
      await Promise.all(tabs.map((tab) => callApi(tab)));
      expect(refreshes() - before).toBe(1);
      expect(new Set(await Promise.all(tabs.map((tab) => claim(tab, 'jti')))).size).toBe(1);
      expect(await Promise.all(tabs.map((tab) => view(tab)))).toEqual(['in', 'in', 'in']);
    });

    test('a refresh whose answer is lost is sent again, and the session is the same', async () => {
      const page = await world().openLoggedIn(profile, mode);
      const [session, token] = [await claim(page, 'sid'), await claim(page, 'jti')];
      let lost = 0;
      world().wire.cuts = (line) => line === REFRESH && (lost += 1) === 1;
      await pass(profile, PAST_ITS_END);
      await callApi(page);
      expect(lost).toBe(2);
      expect(await claim(page, 'sid')).toBe(session);
      expect(await claim(page, 'jti')).not.toBe(token);
    });

    test('a tab that is closed before any answer to its refresh comes leaves the next one logged in', async () => {
      const page = await world().openLoggedIn(profile, mode);
      const session = await claim(page, 'sid');
      const cut = new Promise<void>((resolve) => {
        world().wire.cuts = (line) => {
          if (line !== REFRESH) return false;
          resolve();
          return true;
        };
      });
      await pass(profile, PAST_ITS_END);
      await button(page, 'Call the API').click();
      await cut;
      await page.close();
      world().wire.cuts = () => false;

      const next = await world().open(profile, mode);
      await next.locator('#devices li').first().waitFor();
      await callApi(next);
      expect(await claim(next, 'sid')).toBe(session);
      expect(world().api.logs.join('\n')).not.toContain('theft');
    });

    test('ten minutes without a network log nobody out', async () => {
      const page = await world().openLoggedIn(profile, mode);
      const session = await claim(page, 'sid');
      await profile.setOffline(true);
      await pass(profile, TEN_MINUTES);
      await button(page, 'Call the API').click();
      await page.getByText('The server cannot be reached.').waitFor();
      expect(await view(page)).toBe('in');
      await profile.setOffline(false);
      await callApi(page);
      expect(await claim(page, 'sid')).toBe(session);
    });

    test('a tab that logs out is followed by the others at once, and a reload brings nobody back', async () => {
      const first = await world().openLoggedIn(profile, mode);
      const second = await world().open(profile, mode);
      expect(await view(second)).toBe('in');
      await button(first, 'Log out').click();
      await said(first, 'You are logged out.');
      await said(second, 'You were logged out in another tab.');
      expect(await view(second)).toBe('out');
      await second.reload();
      await second.locator('#out').waitFor();
    });

    test('a tab that logs in is followed by the others, and a reload stays logged in', async () => {
      const second = await world().open(profile, mode);
      const first = await world().openLoggedIn(profile, mode);
      await second.locator('#in').waitFor();
      await first.reload();
      await first.locator('#devices li').first().waitFor();
      expect(await claim(first, 'sid')).toBe(await claim(second, 'sid'));
    });
  });
