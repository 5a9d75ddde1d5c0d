import { destinations } from './destination.ts';
import { LatchkeyError } from './errors.ts';
import { exchangesWith, type Exchanges, type Mode } from './exchanges.ts';
import { freshness, type Freshness } from './freshness.ts';
import type { Held, Pair } from './held.ts';
import { nobody, type Current, type Session } from './session.ts';
import { ignore, unlessAborted } from './waiting.ts';

export interface ApiOptions {
  /** Of the Latchkey API: `https://auth.example.com`. Its origin gets the access token. */
  readonly baseUrl: string;
  /** Further origins that take its access tokens: `https://api.example.com`. No other ever sees one. */
  readonly origins?: readonly string[];
  /** What sends requests; the platform's own unless told. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface Client {
  /** Whether somebody is logged in, as far as is known at this moment. */
  readonly session: Session;
  /** Reads storage, if that was not done yet. @throws {LatchkeyError} `unavailable` where it cannot be read */
  ready(): Promise<Session>;
  /** Called whenever {@link Client.session} changes, in this tab or by another. @returns what stops it */
  subscribe(listener: (session: Session) => void): () => void;
  /**
   * Logs in. It is tried once: each try counts against the password's guesses.
   *
   * @throws {LatchkeyError} `refused` with the server's problem, `unavailable`, or `ended` where `logout` or another login
   *   came before the answer
   */
  login(credentials: Credentials): Promise<Session>;
  /**
   * Changes the password: every other session of the user ends, and this one begins anew. Tried once, as a login is.
   *
   * @throws {LatchkeyError} like `login`
   */
  changePassword(passwords: { readonly current: string; readonly next: string }): Promise<Session>;
  /** Takes a pair that another answer carried: that of a changed password. */
  adopt(pair: Pair): Promise<Session>;
  /**
   * Ends the session: here at once and whatever happens, on the server if it can be reached.
   *
   * @throws whatever storage threw when it was told to forget; the session is over for this client all the same
   */
  logout(): Promise<void>;
  /**
   * The platform's `fetch` with the access token, for paths of the API and URLs of the trusted origins; anything else goes
   * out as it is. Gets a new token before the old one ends, and once more after a 401.
   *
   * @throws {LatchkeyError} `unavailable` where there is no valid token to be had now, `ended` where the session ended
   *   before the request went out; and what the platform's `fetch` throws
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** An access token that is valid now, for what is no `fetch`. @returns undefined where nobody is logged in */
  accessToken(): Promise<string | undefined>;
  /** Listens to other tabs no more. */
  close(): void;
}

/** What differs by how the refresh token travels. */
export interface Keeping extends Pick<Client, 'login' | 'changePassword' | 'adopt' | 'logout' | 'close'> {
  /** Finds out who is logged in; otherwise a first refresh does. */
  readonly look?: () => Promise<void>;
  /** Gets the pair after the one whose access token is `used`, unless somebody did already. */
  readonly renew: (used?: string) => Promise<void>;
}

/** What keeps a session works with. */
export interface Tools extends Exchanges {
  readonly current: Current;
  readonly ready: () => Promise<Session>;
  readonly accessToken: () => Promise<string | undefined>;
}

export const stateOf = ({ age, lifetime }: Held): Freshness => freshness(age(), lifetime);

/** @throws {TypeError} for a base URL that is no http(s) URL */
export function clientOf(
  { baseUrl, origins = [], fetch: send = fetch }: ApiOptions,
  mode: Mode,
  keepingWith: (tools: Tools) => Keeping,
): Client {
  const { urlOf, isTrusted } = destinations(baseUrl, origins);
  const current = nobody();
  let renewing: Promise<void> | undefined;

  const renewOnce = (used?: string): Promise<void> => (renewing ??= renew(used).finally(() => (renewing = undefined)));

  const { look, renew, ...verbs }: Keeping = keepingWith({
    ...exchangesWith(mode, (path, init) => send(urlOf(path), init)),
    current,
    ready,
    accessToken,
  });

  async function ready(): Promise<Session> {
    if (current.session.status === 'unknown') await (look ?? renewOnce)();
    return current.session;
  }

  async function accessToken(): Promise<string | undefined> {
    await ready();
    const { held, era: asked } = current;
    if (!held) return undefined;
    const state = stateOf(held);
    if (state === 'expired') await renewOnce(held.access);
    if (state === 'stale') renewOnce(held.access).catch(ignore);
    // Never as somebody else, and not as nobody.
    if (current.era !== asked) throw new LatchkeyError('ended');
    return current.held?.access;
  }

  return {
    get session() {
      return current.session;
    },
    ready,
    subscribe(listener) {
      current.listeners.add(listener);
      return () => void current.listeners.delete(listener);
    },
    ...verbs,

    async fetch(input, init = {}) {
      const request = typeof input === 'object' && 'url' in input ? input : undefined;
      const url = request ? request.url : urlOf((input as URL).toString());
      const target = request ?? url;
      const headers = new Headers(init.headers ?? request?.headers);
      if (!isTrusted(url) || headers.has('authorization')) return send(target, init);

      const signal = init.signal ?? request?.signal;
      const used = await unlessAborted(accessToken(), signal);
      if (used === undefined) return send(target, init);
      const { era: asked } = current;
      const attempt = (token: string, to: string | Request) => {
        headers.set('Authorization', `Bearer ${token}`);
        // A redirect could lead to another origin; who asks for it trusts the platform to take the token off there.
        return send(to, { redirect: 'error', ...init, headers });
      };
      const spare = request ? request.clone() : target;
      const answer = await attempt(used, target);
      if (answer.status !== 401) return answer;
      await unlessAborted(renewOnce(used), signal);
      const next = current.held?.access;
      if (isStream(init.body) || current.era !== asked || next === undefined || next === used) return answer;
      answer.body?.cancel().catch(ignore);
      return attempt(next, spare);
    },

    accessToken,
  };
}

/** A body that is gone once it was sent. */
const isStream = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body);
