import { describe, expect, test } from '@jest/globals';
import { isFromOurPages } from '../../../../functions/shared/http/csrf.ts';

const OWN = 'https://auth.example.org';
const APP = 'https://app.example.org';
const ADMIN = 'https://admin.example.org:8443';

/** Every origin that a page, or whoever pretends to be a browser, might send, and which settings let it in. */
const ORIGINS = {
  none: undefined,
  own: OWN,
  configured: APP,
  'another configured': ADMIN,
  'that of no page (a sandbox, a file)': 'null',
  empty: '',
  star: '*',
  stranger: 'https://evil.example',
  'a sister of the site': 'https://blog.example.org',
  'configured, in capitals': 'https://APP.example.org',
  'configured, over HTTP': 'http://app.example.org',
  'configured, on another port': 'https://app.example.org:8443',
  'configured, with its own port': 'https://app.example.org:443',
  'configured, without its port': 'https://admin.example.org',
  'configured, with a dot': 'https://app.example.org.',
  'configured, with a slash': 'https://app.example.org/',
  'configured as a prefix': 'https://app.example.org.evil.example',
  'configured as a suffix': 'https://evilapp.example.org',
  'configured as a user': 'https://app.example.org@evil.example',
  'two that are configured, as the setting has them': `${APP} ${ADMIN}`,
  'two that are configured, as a list': `${APP}, ${ADMIN}`,
  'its own, over HTTP': 'http://auth.example.org',
  'its own as a prefix': 'https://auth.example.org.evil.example',
} as const;
type Name = keyof typeof ORIGINS;

const SETTINGS = { 'every origin': [], one: [APP], two: [APP, ADMIN] } as const;
const CONFIGURED: Record<keyof typeof SETTINGS, readonly Name[]> = {
  'every origin': [],
  one: ['configured'],
  two: ['configured', 'another configured'],
};
const ALL = Object.keys(ORIGINS) as Name[];

/** Which origins may act with cookies: by what `Sec-Fetch-Site` says, and the configured origins. */
const ALLOWED: Record<string, (configured: readonly Name[]) => readonly Name[]> = {
  'same-origin': () => ALL,
  'same-site': (configured) => configured,
  'cross-site': () => [],
  none: () => [],
  '': () => [],
  'Same-Origin': () => [],
  'same-origin, cross-site': () => [],
  'same-origin ': () => [],
  // A browser that has no such header.
  absent: (configured) => ['own', ...configured],
};

describe.each(Object.keys(SETTINGS) as (keyof typeof SETTINGS)[])('with cookies, %s configured,', (setting) => {
  test.each(Object.keys(ALLOWED))('Sec-Fetch-Site: %j lets in exactly the origins that it should', (word) => {
    const site = word === 'absent' ? undefined : word;
    const letIn = ALL.filter((name) => isFromOurPages({ site, origin: ORIGINS[name], own: OWN }, SETTINGS[setting]));
    expect(letIn).toEqual(ALL.filter((name) => ALLOWED[word]!(CONFIGURED[setting]).includes(name)));
  });
});

test('nobody is let in for an origin of our own that we do not know', () => {
  expect(isFromOurPages({ site: undefined, origin: undefined, own: undefined }, [])).toBe(false);
  expect(isFromOurPages({ site: undefined, origin: 'undefined', own: undefined }, [])).toBe(false);
});
