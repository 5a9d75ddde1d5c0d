/** What applications import whose refresh token is in a cookie that no script can see; the access token is in memory alone. */
import type { ApiOptions, Client, LoggedOut, Session } from './api.ts';
import { debtIn, type DebtStorage } from './debt.ts';
import { destinations } from './destination.ts';
import { LatchkeyError } from './errors.ts';
import { exchangesWith, REFUSALS } from './exchanges.ts';
import { isExpired } from './freshness.ts';
import { membersOf, isText, textIn, tokenOf, type Token } from './held.ts';
import { requestsWith } from './requests.ts';
import { tabsOf, type TabPage } from './tabs.ts';
import { ignore } from './waiting.ts';

/** What a page has for its tabs to get along with; each may be missing. */
export interface CookiePage extends TabPage {
  readonly localStorage?: DebtStorage;
}

/** Takes no pairs of other answers: what brings a cookie must be one of its own calls. */
export type CookieClient = Omit<Client, 'adopt'>;

export interface CookieOptions extends ApiOptions {
  /** Names what the tabs of an origin share; one for each API. `latchkey` unless told. */
  readonly key?: string;
  /** What to use instead of the page's own. */
  readonly page?: CookiePage;
}

/**
 * A client of one API, for one user at a time, in a browser.
 *
 * A browser keeps the cookie that comes last, not the one that was asked for last, and all tabs have the same. So one call
 * at a time brings or takes one, and what it brought is told to all tabs before the next goes out.
 *
 * @throws {TypeError} for a base URL that is no http(s) URL
 */
export function createClient({
  baseUrl,
  origins = [],
  key = 'latchkey',
  page = globalThis,
  fetch: send = fetch,
}: CookieOptions): CookieClient {
  const places = destinations(baseUrl, origins);
  const { ask, renewed } = exchangesWith(
    (path, init) =>
      send(places.urlOf(path), {
        ...init,
        credentials: 'include',
        headers: { ...init.headers, 'X-Latchkey-Mode': 'cookie' },
      }),
    [...REFUSALS, 'not_authenticated'],
    ({ access }) => textIn(access),
  );
  const { isOwed, owe, settle } = debtIn(`${key}-logout`, page);

  const listeners = new Set<(session: Session) => void>();
  let session: Session = { status: 'unknown' };
  let held: Token | undefined;
  /** Counts the sessions that began or ended: what was asked for one is nothing to the next. */
  let era = 0;
  /** Counts calls of login and logout, of which the last one counts. */
  let wishes = 0;
  let hurry = new AbortController();
  let renewing: Promise<void> | undefined;

  /** Gives up a refresh that is under way. */
  function giveWay(): void {
    hurry.abort();
    hurry = new AbortController();
  }

  /** The one place where a session begins or ends, by what this tab or another one told all. */
  function turnTo(text: string, reason: LoggedOut): void {
    const { access, at } = membersOf(() => text);
    const next = isText(access) ? tokenOf(access, at) : undefined;
    const isSame = next ? held && next.sessionId === held.sessionId : session.status === 'out';
    held = next;
    if (isSame) return;
    era += 1;
    giveWay();
    session = next ? { status: 'in', userId: next.userId, sessionId: next.sessionId } : { status: 'out', reason };
    // Later, and each by itself: a listener that throws harms nobody else.
    for (const listener of listeners) queueMicrotask(() => listener(session));
  }

  const isUnknown = () => session.status === 'unknown';
  const { tell, alone, close } = tabsOf(key, page, (text) => turnTo(text, isUnknown() ? 'none' : 'elsewhere'), giveWay);

  /** Has the cookie taken away, and its session ended. */
  async function pay(): Promise<undefined> {
    await ask('/api/token/blacklist', {}, undefined, undefined, (_, text) => (text.startsWith('{') ? text : undefined));
    settle();
  }

  /** Gets the token after the one that is `used`, unless a tab did already; the first one without. */
  async function renew(used?: string): Promise<void> {
    if (held ? held.access !== used && !isExpired(held) : !isUnknown()) return;
    const asked = era;
    const reason = held ? 'refused' : 'none';
    // Nobody is logged in who has logged out, whatever cookie there is.
    const next = await (isOwed() ? pay().catch(ignore) : renewed({}, hurry.signal)).catch((error: unknown) => {
      if (era === asked) throw error;
      return undefined;
    });
    if (era === asked) turnTo(tell(next), reason);
  }

  function renewOnce(used?: string): Promise<void> {
    renewing ??= alone(() => renew(used)).finally(() => (renewing = undefined));
    return renewing;
  }

  async function ready(): Promise<Session> {
    if (isUnknown()) await renewOnce();
    return session;
  }

  /** Asks for a session to begin, once. */
  async function enter(path: string, fields: object, headers?: Readonly<Record<string, string>>): Promise<Session> {
    const wish = (wishes += 1);
    await alone(async () => {
      if (isOwed()) await pay();
      const access = await ask(path, fields, undefined, headers);
      if (wish !== wishes) {
        owe();
        await pay().catch(ignore);
        throw new LatchkeyError('ended');
      }
      turnTo(tell(access), 'none');
    }, true);
    return session;
  }

  const requests = requestsWith(
    send,
    places,
    () => era,
    () => held,
    ready,
    renewOnce,
  );

  return {
    get session() {
      return session;
    },
    ready,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    login: (credentials) => enter('/api/token', credentials),

    changePassword: async (passwords) =>
      enter('/api/password', passwords, { Authorization: `Bearer ${await requests.accessToken()}` }),

    async logout() {
      wishes += 1;
      owe();
      turnTo(tell(), 'logout');
      await alone(async () => {
        // Of a login that was under way too: it came first, also where it paid what was owed by then.
        owe();
        await pay().catch(ignore);
        turnTo(tell(), 'logout');
      }, true);
    },

    ...requests,
    close,
  };
}

export type { ApiOptions, Client, Credentials, Passwords, Session } from './api.ts';
export type { DebtStorage } from './debt.ts';
export { LatchkeyError, type Trouble } from './errors.ts';
export type { Members, Pair } from './held.ts';
export type { Channel, TabLocks, TabPage } from './tabs.ts';
