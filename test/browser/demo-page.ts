import { afterEach, describe, expect, test } from '@jest/globals';
import { violationsOn } from '../support/browser/axe.ts';
import { hasFocus, press, typeInto } from '../support/browser/keyboard.ts';
import {
  LIFETIME_SECONDS,
  button,
  callApi,
  claim,
  field,
  logIn,
  pass,
  said,
  sendLogin,
  view,
  type BrowserWorld,
} from '../support/browser/world.ts';
import { count } from '../support/counts.ts';
import { PASSWORD } from '../support/local-gateway.ts';

const NEW_PASSWORD = 'another horse battery staple';
const REFUSED = 'No active account found with the given credentials';

const LOOKS = [
  ['light', 1100],
  ['dark', 320],
  ['light', 320],
  ['dark', 1100],
] as const;

export const demoPageTests = (world: () => BrowserWorld): void =>
  describe('the demo page', () => {
    afterEach(() => world().closeProfiles());

    test('takes somebody from signing up to logging out by keyboard, and says in words what is wrong', async () => {
      const page = await world().open(await world().profile(), 'storage');
      const password = field(page, 'New password');
      await typeInto(page, field(page, 'New username'), 'grace');
      await typeInto(page, password, 'short');
      await page.keyboard.press('Enter');
      await page.getByText('This password is too short.').waitFor();
      expect(await hasFocus(password)).toBe(true);
      expect(await password.getAttribute('aria-invalid')).toBe('true');
      expect(await password.getAttribute('aria-describedby')).toContain('signup-password-error');
      await page.keyboard.press('Control+A');
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');

      const greeting = page.getByRole('heading', { name: 'Hello, grace' });
      await greeting.waitFor();
      expect(await hasFocus(greeting)).toBe(true);
      const token = await claim(page, 'jti');
      await press(page, button(page, 'Refresh now'));
      await said(page, 'The API answered: you are grace.');
      expect(await claim(page, 'jti')).not.toBe(token);

      await typeInto(page, field(page, 'Display name'), 'Grace H.');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Hello, Grace H.' }).waitFor();

      const current = field(page, 'Current password');
      await typeInto(page, current, 'not the password of grace');
      await typeInto(page, field(page, 'New password'), NEW_PASSWORD);
      await page.keyboard.press('Enter');
      await page.getByText('Invalid password.').waitFor();
      expect(await hasFocus(current)).toBe(true);
      await page.keyboard.press('Control+A');
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');
      await said(page, 'Your password is changed');

      await press(page, button(page, 'Log out'));
      await said(page, 'You are logged out.');
      expect(await hasFocus(page.getByRole('heading', { name: 'Log in' }))).toBe(true);

      await sendLogin(page, 'grace', PASSWORD);
      await page.getByText(REFUSED).waitFor();
      await sendLogin(page, 'grace', NEW_PASSWORD);
      await page.getByRole('heading', { name: 'Hello, Grace H.' }).waitFor();
    });

    test('shows how much of the access token’s life is left, and that its end is no end of the session', async () => {
      const profile = await world().profile();
      const page = await world().openLoggedIn(profile, 'storage');
      const left = page.locator('#token-left');
      await left.filter({ hasText: /^4 min \d+ s$|^5 min$/ }).waitFor();
      await pass(profile, LIFETIME_SECONDS + 60);
      await left.filter({ hasText: 'At its end.' }).waitFor();
      await callApi(page);
      expect(await view(page)).toBe('in');
    });

    test('lists the devices, and logs one of them out, and all', async () => {
      const page = await world().openLoggedIn(await world().profile(), 'storage');
      const username = (await page.locator('#profile-username').textContent()) ?? '';
      const other = await world().open(await world().profile({ userAgent: 'Elsewhere/1.0' }), 'storage');
      await logIn(other, username);
      await page.reload();
      const rows = page.locator('#devices li');
      await rows.nth(1).waitFor();
      expect((await rows.allTextContents()).map((row) => row.includes('this one'))).toEqual([true, true]);
      const [own, others] = [rows.filter({ hasText: 'Chrome' }), rows.filter({ hasText: 'Elsewhere' })];
      expect(await own.getByText('this one').isVisible()).toBe(true);
      await press(page, others.getByRole('button', { name: 'End the session of Elsewhere' }));
      await said(page, 'Elsewhere is logged out.');
      expect(await rows.count()).toBe(1);
      expect(await hasFocus(page.getByRole('heading', { name: 'Devices' }))).toBe(true);
      await button(other, 'Call the API').click();
      await said(other, 'The server has ended this session');
      expect(await view(other)).toBe('out');

      await logIn(other, username);
      await press(page, button(page, 'Log out everywhere'));
      await said(page, 'You are logged out everywhere.');
      expect(await view(page)).toBe('out');
      await button(other, 'Call the API').click();
      await said(other, 'The server has ended this session');
    });

    test.each(LOOKS.slice(0, count(2, LOOKS.length)))(
      'has nothing in %s, %d pixels wide, that axe finds wrong, in any state',
      async (colorScheme, width) => {
        const viewport = { width, height: 700 };
        const page = await world().open(await world().profile({ colorScheme, viewport }), 'storage');
        expect(await violationsOn(page)).toEqual([]);
        await button(page, 'Sign up').click();
        await page.getByText('This field may not be blank.').first().waitFor();
        await sendLogin(page, 'nobody', 'whatever');
        await page.getByText(REFUSED).waitFor();
        expect(await violationsOn(page)).toEqual([]);
        await page.close();

        const inside = await world().openLoggedIn(await world().profile({ colorScheme, viewport }), 'cookie');
        await inside.getByText('What it says').click();
        await field(inside, 'Current password').fill('wrong');
        await inside.keyboard.press('Enter');
        await inside.getByText('This field may not be blank.').waitFor();
        expect(await violationsOn(inside)).toEqual([]);
        const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        expect(await inside.evaluate<number>(overflow)).toBe(0);
      },
    );
  });
