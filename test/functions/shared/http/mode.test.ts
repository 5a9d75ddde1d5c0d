import { describe, expect, jest, test } from '@jest/globals';
import { Refusal } from '../../../../functions/shared/domain/refusal.ts';
import { apiEvent, DOMAIN } from '../../../support/events.ts';

const APP = 'https://app.example.org';

/** What a request is told with these settings: whether it gets cookie mode, or why not. */
async function told(
  headers: Readonly<Record<string, string | readonly string[]>>,
  { mode = 'on', origin = '*' }: { mode?: string; origin?: string } = {},
): Promise<unknown> {
  Object.assign(process.env, { COOKIE_MODE: mode, CORS_ORIGIN: origin });
  jest.resetModules();
  const { isInCookieMode } = await import('../../../../functions/shared/http/mode.ts');
  try {
    return isInCookieMode(apiEvent({ headers }));
  } catch (error) {
    if (error instanceof Error && error.name === Refusal.name && 'reason' in error) return error.reason;
    throw error;
  }
}

describe('a request that does not ask for cookie mode', () => {
  test('does not get it, wherever it comes from, and nothing is asked of it', async () => {
    const cookie = { Cookie: '__Host-latchkey-refresh=x', 'Sec-Fetch-Site': 'cross-site' };
    for (const mode of ['on', 'off'])
      expect(await told({ ...cookie, Origin: 'https://evil.example' }, { mode })).toBe(false);
  });
});

describe('a request that asks for it', () => {
  test.each(['X-Latchkey-Mode', 'x-latchkey-mode', 'X-LATCHKEY-MODE'])(
    'by %s gets it from our own page',
    async (name) => {
      expect(await told({ [name]: 'cookie', 'sec-fetch-site': 'same-origin' })).toBe(true);
    },
  );

  test('is told so where the setting is off, whoever it is', async () => {
    for (const site of ['same-origin', 'cross-site']) {
      expect(await told({ 'X-Latchkey-Mode': 'cookie', 'Sec-Fetch-Site': site }, { mode: 'off' })).toBe(
        'cookie-mode-off',
      );
    }
  });

  test.each(['', 'Cookie', 'cookies', 'body', 'cookie, cookie', 'null'])(
    'in the word %j is told which one there is',
    async (word) => {
      expect(await told({ 'X-Latchkey-Mode': word, 'Sec-Fetch-Site': 'same-origin' })).toBe('unknown-mode');
      expect(await told({ 'X-Latchkey-Mode': word }, { mode: 'off' })).toBe('unknown-mode');
    },
  );

  test('twice is told the same', async () => {
    for (const twice of [
      ['cookie', 'cookie'],
      ['body', 'cookie'],
    ]) {
      expect(await told({ 'X-Latchkey-Mode': twice, 'Sec-Fetch-Site': 'same-origin' })).toBe('unknown-mode');
    }
  });

  const ask = (headers: Record<string, string | string[]>, origin?: string) =>
    told({ 'X-Latchkey-Mode': 'cookie', ...headers }, origin === undefined ? {} : { origin });

  test('from a configured origin gets it, and from any other not', async () => {
    expect(await ask({ 'Sec-Fetch-Site': 'same-site', Origin: APP }, `https://x.example.org ${APP}`)).toBe(true);
    expect(await ask({ Origin: APP }, APP)).toBe(true);
    expect(await ask({ 'Sec-Fetch-Site': 'same-site', Origin: APP }, 'https://x.example.org')).toBe(
      'cross-site-request',
    );
    // Every origin may call the API, and none may with cookies.
    expect(await ask({ 'Sec-Fetch-Site': 'same-site', Origin: APP }, '*')).toBe('cross-site-request');
    expect(await ask({ 'Sec-Fetch-Site': 'cross-site', Origin: APP }, APP)).toBe('cross-site-request');
    expect(await ask({}, APP)).toBe('cross-site-request');
  });

  test('with a header twice that must be there once is refused', async () => {
    expect(await ask({ 'Sec-Fetch-Site': ['same-origin', 'same-origin'] })).toBe('cross-site-request');
    expect(await ask({ Origin: [APP, APP] }, APP)).toBe('cross-site-request');
  });

  test('of an old browser gets it from the API’s own origin, scheme and all', async () => {
    expect(await ask({ Origin: `https://${DOMAIN}` })).toBe(true);
    expect(await ask({ Origin: `https://${DOMAIN}`, 'X-Forwarded-Proto': 'https' })).toBe(true);
    expect(await ask({ Origin: `http://${DOMAIN}`, 'X-Forwarded-Proto': 'https' })).toBe('cross-site-request');
    expect(await ask({ Origin: `http://${DOMAIN}` })).toBe('cross-site-request');
    expect(await ask({ Origin: `http://${DOMAIN}`, 'X-Forwarded-Proto': 'http' })).toBe(true);
    expect(await ask({ Origin: `https://${DOMAIN}:8443` })).toBe('cross-site-request');
  });

  test('is refused where nobody knows under which host it came', async () => {
    const event = apiEvent({ headers: { 'X-Latchkey-Mode': 'cookie', Origin: 'https://undefined' } });
    Reflect.deleteProperty(event.requestContext, 'domainName');
    const { isInCookieMode } = await import('../../../../functions/shared/http/mode.ts');
    expect(() => isInCookieMode(event)).toThrow('cross-site-request');
  });
});
