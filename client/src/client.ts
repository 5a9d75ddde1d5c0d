import { destinations } from './destination.ts';
import { LatchkeyError } from './errors.ts';
import { exchangesWith } from './exchanges.ts';
import { freshness } from './freshness.ts';
import { heldFrom, textOf, type Held, type Pair } from './held.ts';
import { memoryStorage, type SessionStorage } from './storage.ts';
import { inBody, type Credentials, type Transport } from './transport.ts';
import { ignore, unlessAborted } from './waiting.ts';

/** Whether somebody is logged in here. The same object until that changes. */
export type Session =
  /** Storage was not read yet, or could not be. */
  | { readonly status: 'unknown' }
  | { readonly status: 'in'; readonly userId: string | undefined; readonly sessionId: string | undefined }
  /** `logout` was called here, the session was ended `elsewhere` (another tab), or the server `refused` it. */
  | { readonly status: 'out'; readonly reason: 'none' | 'logout' | 'elsewhere' | 'refused' };

export interface ClientOptions {
  /** Of the Latchkey API: `https://auth.example.com`. Its origin gets the access token. */
  readonly baseUrl: string;
  /** Further origins that take its access tokens: `https://api.example.com`. No other ever sees one. */
  readonly origins?: readonly string[];
  /** In memory unless told. */
  readonly storage?: SessionStorage;
  /** How the refresh token travels; in bodies unless told. */
  readonly transport?: Transport;
  /** What sends requests; the platform's own unless told. */
  readonly fetch?: typeof globalThis.fetch;
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
  /**
   * Gets a new access token now, though the one in use is still good: after a change of roles, say.
   *
   * @throws {LatchkeyError} `unavailable` where there is none to be had now; the session lives on
   */
  refresh(): Promise<Session>;
  /** An access token that is valid now, for what is no `fetch`. @returns undefined where nobody is logged in */
  accessToken(): Promise<string | undefined>;
  /** Listens to other tabs no more. */
  close(): void;
}

type LoggedOut = Extract<Session, { status: 'out' }>['reason'];

/** A client of one API, for one user at a time. @throws {TypeError} for a base URL that is no http(s) URL */
export function createClient(options: ClientOptions): Client {
  const { baseUrl, origins = [], storage = memoryStorage(), transport = inBody, fetch: send = fetch } = options;
  const { urlOf, isTrusted } = destinations(baseUrl, origins);
  const { ask, renewed } = exchangesWith(transport, (path, init) => send(urlOf(path), init));

  const listeners = new Set<(session: Session) => void>();
  let session: Session = { status: 'unknown' };
  /** The pair in use. It is newer than what storage has where storage would not take it. */
  let held: Held | undefined;
  /** What storage had when it was last read or written. */
  let stored: string | null | undefined;
  /** A session that ended here; storage that will not forget it cannot bring it back. */
  let buried: string | undefined;
  /** Counts the sessions that began or ended: what was asked for one is nothing to the next. */
  let era = 0;
  /** Counts calls of login and logout, of which the last one counts. */
  let wishes = 0;
  let hurry = new AbortController();
  let renewing: Promise<void> | undefined;
  let writes: Promise<unknown> = Promise.resolve();

  const stateOf = ({ age, lifetime }: Held) => freshness(age(), lifetime);

  function turnEra(): number {
    hurry.abort();
    hurry = new AbortController();
    return (era += 1);
  }

  /** The one place where a session begins or ends. */
  function turnTo(next: Held | undefined, reason: LoggedOut): void {
    const isSame = next ? held && next.sessionId === held.sessionId : session.status === 'out';
    held = next;
    if (isSame) return;
    turnEra();
    session = next ? { status: 'in', userId: next.userId, sessionId: next.sessionId } : { status: 'out', reason };
    // Later, and each by itself: a listener that throws harms nobody else.
    for (const listener of listeners) queueMicrotask(() => listener(session));
  }

  /** Reads storage and believes it, if somebody else wrote. */
  async function load(): Promise<void> {
    const text = await writes
      .then(() => storage.read())
      .catch((error: unknown) => {
        if (session.status === 'unknown') throw new LatchkeyError('unavailable', error);
        return stored;
      });
    const before = stored;
    stored = text;
    const isFirst = session.status === 'unknown';
    // What was there before a login or logout that storage would not take is no news.
    if (!isFirst && (text === before || before === undefined)) return;
    const next = heldFrom(text);
    const isDead = buried !== undefined && next?.sessionId === buried;
    // Another tab wrote what it had asked for before it heard of the end.
    if (isDead) write(null).catch(ignore);
    turnTo(isDead ? undefined : next, isFirst ? 'none' : 'elsewhere');
  }

  /** Writes one after the other, and only what is still wanted when its turn comes. */
  function write(text: string | null, isWanted: () => boolean = () => true): Promise<void> {
    const written = writes.then(async () => {
      if (!isWanted()) return;
      await storage.write(text);
      stored = text;
    });
    writes = written.catch(ignore);
    return written;
  }

  /** Takes a pair: into storage first, so that nothing rests on a token that a crash would lose. */
  async function take(pair: Pair, asked: number): Promise<void> {
    const isWanted = () => era === asked;
    const text = textOf(pair);
    // Where storage will not take it, it goes on in memory; `renew` knows.
    await write(text, isWanted).catch(ignore);
    if (isWanted()) turnTo(heldFrom(text), 'none');
  }

  async function ready(): Promise<Session> {
    if (session.status === 'unknown') await load();
    return session;
  }

  /** Gets the pair after the one whose access token is `used`, unless somebody did already. */
  async function renew(used: string): Promise<void> {
    await load();
    if (!held || (held.access !== used && stateOf(held) !== 'expired')) return;
    const asked = era;
    const from = held;
    // A successor that storage would not take is never presented: after a crash, or in another tab, there is only its
    // predecessor, which the server takes as long as nobody used the successor.
    const kept = heldFrom(stored);
    const presented = kept && kept.sessionId === from.sessionId ? kept : from;
    const next = await renewed(presented.refresh, hurry.signal).catch((error: unknown) => {
      if (era === asked) throw error;
    });
    // Another tab may have logged out meanwhile, or got a pair where tabs have no lock.
    await load();
    if (era !== asked) return;
    if (next) await take(next, asked);
    else if (held === from) await forget('refused').catch(ignore);
  }

  function renewOnce(used: string): Promise<void> {
    const run = () => renew(used);
    renewing ??= (storage.exclusively?.(run) ?? run()).finally(() => (renewing = undefined));
    return renewing;
  }

  async function forget(reason: LoggedOut): Promise<void> {
    buried = held?.sessionId;
    turnTo(undefined, reason);
    await write(null);
  }

  async function accessToken(): Promise<string | undefined> {
    await ready();
    if (!held) return undefined;
    const state = stateOf(held);
    const asked = era;
    if (state === 'expired') await renewOnce(held.access);
    if (state === 'stale') renewOnce(held.access).catch(ignore);
    // Never as somebody else, and not as nobody.
    if (era !== asked) throw new LatchkeyError('ended');
    return held.access;
  }

  const endOnServer = (refresh: string): Promise<unknown> => ask(transport.logout(refresh)).catch(ignore);

  async function begin(pair: Pair): Promise<Session> {
    const before = held;
    const asked = turnEra();
    await take(pair, asked);
    if (before && before.sessionId !== held?.sessionId) void endOnServer(before.refresh);
    if (held?.access !== pair.access) {
      void endOnServer(pair.refresh);
      throw new LatchkeyError('ended');
    }
    return session;
  }

  const close = storage.watch?.(() => void load().catch(ignore)) ?? ignore;

  return {
    get session() {
      return session;
    },
    ready,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    async login(credentials) {
      const wish = (wishes += 1);
      await ready().catch(ignore);
      const pair = transport.pairIn(await ask(transport.login(credentials)));
      if (!pair) throw new LatchkeyError('unavailable');
      if (wish !== wishes) {
        void endOnServer(pair.refresh);
        throw new LatchkeyError('ended');
      }
      return begin(pair);
    },

    adopt: begin,

    async logout() {
      wishes += 1;
      turnEra();
      await ready().catch(ignore);
      const told = held && endOnServer(held.refresh);
      await forget('logout').finally(() => told);
    },

    async fetch(input, init = {}) {
      const request = typeof input === 'object' && 'url' in input ? input : undefined;
      const url = request ? request.url : urlOf((input as URL).toString());
      const target = request ?? url;
      const headers = new Headers(init.headers ?? request?.headers);
      if (!isTrusted(url) || headers.has('authorization')) return send(target, init);

      const signal = init.signal ?? request?.signal;
      const used = await unlessAborted(accessToken(), signal);
      if (used === undefined) return send(target, init);
      const asked = era;
      const attempt = (token: string, to: string | Request) => {
        headers.set('Authorization', `Bearer ${token}`);
        // A redirect could lead to another origin; who asks for it trusts the platform to take the token off there.
        return send(to, { redirect: 'error', ...init, headers });
      };
      const spare = request ? request.clone() : target;
      const answer = await attempt(used, target);
      if (answer.status !== 401) return answer;
      await unlessAborted(renewOnce(used), signal);
      const next = held?.access;
      if (isStream(init.body) || era !== asked || next === undefined || next === used) return answer;
      answer.body?.cancel().catch(ignore);
      return attempt(next, spare);
    },

    async refresh() {
      await ready();
      if (held) await renewOnce(held.access);
      return session;
    },

    accessToken,
    close,
  };
}

/** A body that is gone once it was sent. */
const isStream = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body);
