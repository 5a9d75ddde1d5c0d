/** The demo page, and the client in it, in a real browser: over the local gateway, with the bundles that are deployed. */
import { afterAll, beforeAll, describe } from '@jest/globals';
import { chromiumPath } from '../support/browser/chromium.ts';
import { browserWorld, type BrowserWorld } from '../support/browser/world.ts';
import { cookieTests } from './cookies.ts';
import { demoPageTests } from './demo-page.ts';
import { stayingInTests } from './staying-in.ts';

const executable = chromiumPath();

(executable === undefined ? describe.skip : describe)('in Chromium', () => {
  let world: BrowserWorld;
  beforeAll(async () => {
    world = await browserWorld(executable!);
  });
  afterAll(() => world.close());

  demoPageTests(() => world);
  stayingInTests('storage', () => world);
  stayingInTests('cookie', () => world);
  cookieTests(() => world);
});
