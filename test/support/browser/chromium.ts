import { chromium, type Browser } from 'playwright-core';
import { existsSync } from 'node:fs';

/** Where systems have it; Debian's package `chromium` is what CI installs. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Nothing that asks the network by itself. A sandbox needs rights that containers do not give; only pages of this machine
 * are opened.
 */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * The Chromium of this machine, or the one that CHROMIUM names.
 *
 * @returns undefined where there is none, which it says
 * @throws {Error} in CI, where the tests that need one must not be left out
 */
export function chromiumPath(): string | undefined {
  const named = process.env['CHROMIUM'];
  const found = (named === undefined ? PLACES : [named]).find((path) => existsSync(path));
  if (found === undefined && process.env['CI']) throw new Error('There is no Chromium, which .ci/run installs.');
  if (found === undefined) {
    process.stdout.write(
      'Skipped: there is no Chromium. Install it (apt-get install chromium), or name it in CHROMIUM.\n',
    );
  }
  return found;
}

/** How long a busy machine may take for whatever a test waits for, in milliseconds; Playwright's own are 30 s. */
export const PATIENCE_MS = 300_000;

/** Starts it with a profile of its own, which goes with it. */
export const startChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: FLAGS, timeout: PATIENCE_MS });
