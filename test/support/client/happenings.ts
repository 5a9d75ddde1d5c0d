/** What may happen to the tabs of a browser, wherever they have their refresh token. */
import fc from 'fast-check';
import type { AuthServer, Weather } from './auth-server.ts';
import type { Browser, Tab } from './browser.ts';

/** Of three. */
export const aTab = fc.nat(2);

export type Happening =
  | { readonly do: 'fetch' | 'reload'; readonly tab: number }
  | { readonly do: 'all-fetch' }
  | { readonly do: 'pass' | 'slow'; readonly ms: number }
  | { readonly do: 'storm'; readonly weather: Weather; readonly requests: number };

/**
 * @param weathers that a storm may bring
 * @param times that may pass, in milliseconds
 */
export const happenings = (weathers: readonly Weather[], times: readonly number[]) => [
  { weight: 6, arbitrary: fc.record({ do: fc.constant('fetch' as const), tab: aTab }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('all-fetch' as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(...times) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('storm' as const),
      weather: fc.constantFrom(...weathers),
      requests: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reload' as const), tab: aTab }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('slow' as const), ms: fc.constantFrom(0, 300, 3000) }) },
];

interface Scene {
  readonly server: AuthServer;
  readonly browser: Browser;
  readonly tabs: Tab[];
  /** Lets so many milliseconds pass. */
  readonly pass: (milliseconds: number) => Promise<unknown>;
}

export async function happen(one: Happening, { server, browser, tabs, pass }: Scene): Promise<void> {
  const fetch = ({ client }: Tab) => void client.fetch('/api/profile').catch(() => undefined);
  switch (one.do) {
    case 'fetch':
      fetch(tabs[one.tab]!);
      await pass(5);
      break;
    case 'all-fetch':
      tabs.forEach(fetch);
      await pass(5);
      break;
    case 'pass':
      await pass(one.ms);
      break;
    case 'storm': {
      let left = one.requests;
      server.weather = () => ((left -= 1) >= 0 ? one.weather : 'clear');
      break;
    }
    case 'reload':
      tabs[one.tab]!.kill();
      tabs[one.tab] = browser.open();
      break;
    case 'slow':
      server.delay = one.ms === 0 ? () => Promise.resolve() : () => new Promise((go) => setTimeout(go, one.ms));
      break;
  }
}
