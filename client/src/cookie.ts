/** What applications import whose refresh token is in a cookie that no script can see; the access token is in memory alone. */
import { clientOf, stateOf, type ApiOptions, type Client } from './common.ts';
import { debtIn, type DebtStorage } from './debt.ts';
import { LatchkeyError } from './errors.ts';
import { LOGIN, LOGOUT, PASSWORD, type Fields, type Mode } from './exchanges.ts';
import { heldFrom } from './held.ts';
import { giveWay, type LoggedOut, type Session } from './session.ts';
import { tabsOf, type TabPage } from './tabs.ts';
import { ignore } from './waiting.ts';

/** What a page has for its tabs to get along with; each may be missing. */
export interface CookiePage extends TabPage {
  readonly localStorage?: DebtStorage;
}

export interface CookieOptions extends ApiOptions {
  /** Names what the tabs of an origin share; one for each API. `latchkey` unless told. */
  readonly key?: string;
  /** What to use instead of the page's own. */
  readonly page?: CookiePage;
}

const IN_COOKIE: Mode = {
  init: { credentials: 'include', headers: { 'X-Latchkey-Mode': 'cookie' } },
  blank: '',
  refusals: ['token_not_valid', 'no_active_account', 'not_authenticated'],
};

/**
 * A client of one API, for one user at a time, in a browser.
 *
 * A browser keeps the cookie that comes last, not the one that was asked for last, and all tabs have the same. So one call
 * at a time brings or takes one, and what it brought is told to all tabs before the next goes out.
 *
 * @throws {TypeError} for a base URL that is no http(s) URL
 */
export function createClient({ key = 'latchkey', page = globalThis, ...options }: CookieOptions): Client {
  return clientOf(options, IN_COOKIE, ({ current, accessToken, ask, pairFrom, renewed }) => {
    const debt = debtIn(`${key}-logout`, page);
    /** Counts calls of login and logout, of which the last one counts. */
    let wishes = 0;

    const { tell, alone, close } = tabsOf(
      key,
      page,
      (text) => current.turnTo(heldFrom(text), current.session.status === 'unknown' ? 'none' : 'elsewhere'),
      () => giveWay(current),
    );

    const turnTo = (access: string | undefined, reason: LoggedOut) => current.turnTo(heldFrom(tell(access)), reason);

    /** Has the cookie taken away, and its session ended. */
    async function pay(): Promise<undefined> {
      await ask(LOGOUT, {});
      debt.settle();
    }

    async function enter(path: string, body: Fields, headers?: Readonly<Record<string, string>>): Promise<Session> {
      const wish = (wishes += 1);
      await alone(async () => {
        if (debt.isOwed()) await pay();
        const { access } = await pairFrom(path, body, undefined, headers);
        if (wish !== wishes) {
          debt.owe();
          await pay().catch(ignore);
          throw new LatchkeyError('ended');
        }
        current.turnEra();
        turnTo(access, 'none');
      }, true);
      return current.session;
    }

    return {
      renew: (used) =>
        alone(async () => {
          const { held: from, era: asked, session } = current;
          if (from ? from.access !== used && stateOf(from) !== 'expired' : session.status !== 'unknown') return;
          // Nobody is logged in who has logged out, whatever cookie there is.
          const next = await (debt.isOwed() ? pay().catch(ignore) : renewed({}, current.hurry.signal)).catch(
            (error: unknown) => {
              if (current.era === asked) throw error;
            },
          );
          if (current.era === asked) turnTo(next?.access, from ? 'refused' : 'none');
        }),

      login: ({ username, password }) => enter(LOGIN, { username, password }),

      changePassword: async ({ current: old, next }) =>
        enter(
          PASSWORD,
          { current_password: old, new_password: next },
          { Authorization: `Bearer ${await accessToken()}` },
        ),

      adopt({ access }) {
        turnTo(access, 'none');
        return Promise.resolve(current.session);
      },

      async logout() {
        wishes += 1;
        debt.owe();
        turnTo(undefined, 'logout');
        await alone(async () => {
          if (!debt.isOwed()) return;
          await pay().catch(ignore);
          // A login that was under way came first, and its session has just been ended.
          if (current.held) turnTo(undefined, 'logout');
        }, true);
      },

      close,
    };
  });
}

export type { ApiOptions, Client, Credentials } from './common.ts';
export type { DebtStorage } from './debt.ts';
export { LatchkeyError, type Trouble } from './errors.ts';
export type { Members, Pair } from './held.ts';
export type { Session } from './session.ts';
export type { Channel, TabLocks, TabPage } from './tabs.ts';
