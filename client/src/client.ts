import type { ApiOptions, Client, LoggedOut, Session } from './api.ts';
import { destinations } from './destination.ts';
import { LatchkeyError } from './errors.ts';
import { exchangesWith, REFUSALS } from './exchanges.ts';
import { isExpired } from './freshness.ts';
import { deviceIn, heldFrom, pairIn, textOf, type Held, type Kept, type Pair } from './held.ts';
import { requestsWith } from './requests.ts';
import { memoryStorage, type SessionStorage } from './storage.ts';
import { ignore } from './waiting.ts';

export interface ClientOptions extends ApiOptions {
  /** In memory unless told. */
  readonly storage?: SessionStorage;
}

/** A client of one API, for one user at a time. @throws {TypeError} for a base URL that is no http(s) URL */
export function createClient({
  baseUrl,
  origins = [],
  storage = memoryStorage(),
  fetch: send = fetch,
}: ClientOptions): Client {
  const places = destinations(baseUrl, origins);
  const { ask, renewed } = exchangesWith((path, init) => send(places.urlOf(path), init), REFUSALS, pairIn);

  const listeners = new Set<(session: Session) => void>();
  let session: Session = { status: 'unknown' };
  /** The pair in use. It is newer than what storage has where storage would not take it. */
  let held: Held | undefined;
  /** What storage had when it was last read or written. */
  let stored: Kept;
  /** A session that ended here; storage that will not forget it cannot bring it back. */
  let buried: string | undefined;
  /** Counts the sessions that began or ended: what was asked for one is nothing to the next. */
  let era = 0;
  /** Counts calls of login and logout, of which the last one counts. */
  let wishes = 0;
  let hurry = new AbortController();
  let renewing: Promise<void> | undefined;
  let writes: Promise<unknown> = Promise.resolve();

  const isUnknown = () => session.status === 'unknown';

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
        if (isUnknown()) throw new LatchkeyError('unavailable', error);
        return stored;
      });
    const before = stored;
    stored = text;
    const isFirst = isUnknown();
    // What was there before a login or logout that storage would not take is no news.
    if (!isFirst && (text === before || before === undefined)) return;
    const next = heldFrom(text);
    const isDead = buried !== undefined && next?.sessionId === buried;
    // Another tab wrote what it had asked for before it heard of the end.
    if (isDead) write(textOf(text)).catch(ignore);
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
    const text = textOf(stored, pair);
    // Where storage will not take it, it goes on in memory; `renew` knows.
    await write(text, isWanted).catch(ignore);
    if (isWanted()) turnTo(heldFrom(text), 'none');
  }

  async function ready(): Promise<Session> {
    if (isUnknown()) await load();
    return session;
  }

  /** Gets the pair after the one whose access token is `used`, unless somebody did already. */
  async function renew(used: string): Promise<void> {
    await load();
    if (!held || (held.access !== used && !isExpired(held))) return;
    const asked = era;
    const from = held;
    // A successor that storage would not take is never presented: after a crash, or in another tab, there is only its
    // predecessor, which the server takes as long as nobody used the successor.
    const kept = heldFrom(stored);
    const { refresh } = kept && kept.sessionId === from.sessionId ? kept : from;
    const next = await renewed({ refresh }, hurry.signal).catch((error: unknown) => {
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
    await write(textOf(stored)).catch(() => write(null));
  }

  const requests = requestsWith(
    send,
    places,
    () => era,
    () => held,
    ready,
    renewOnce,
  );

  const endOnServer = (refresh: string): Promise<unknown> => ask('/api/token/blacklist', { refresh }).catch(ignore);

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

  /** Asks for a session to begin, once. */
  async function enter(path: string, fields: object, headers?: Readonly<Record<string, string>>): Promise<Session> {
    const wish = (wishes += 1);
    await ready().catch(ignore);
    const pair = await ask(path, { ...fields, device_token: deviceIn(stored) }, undefined, headers);
    if (wish !== wishes) {
      void endOnServer(pair.refresh);
      throw new LatchkeyError('ended');
    }
    return begin(pair);
  }

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

    adopt: begin,

    async logout() {
      wishes += 1;
      turnEra();
      await ready().catch(ignore);
      const told = held && endOnServer(held.refresh);
      await forget('logout').finally(() => told);
    },

    ...requests,
    close,
  };
}
