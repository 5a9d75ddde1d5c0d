import { clientOf, stateOf, type ApiOptions, type Client } from './common.ts';
import { LatchkeyError } from './errors.ts';
import { IN_BODY, LOGIN, LOGOUT, PASSWORD, type Fields } from './exchanges.ts';
import { deviceIn, heldFrom, restOf, textOf, type Kept, type Pair } from './held.ts';
import type { LoggedOut, Session } from './session.ts';
import { memoryStorage, type SessionStorage } from './storage.ts';
import { ignore } from './waiting.ts';

export interface ClientOptions extends ApiOptions {
  /** In memory unless told. */
  readonly storage?: SessionStorage;
}

/** A client of one API, for one user at a time. @throws {TypeError} for a base URL that is no http(s) URL */
export function createClient({ storage = memoryStorage(), ...options }: ClientOptions): Client {
  return clientOf(options, IN_BODY, ({ current, ready, accessToken, ask, pairFrom, renewed }) => {
    /** What storage had when it was last read or written; `current` has a newer pair where storage would not take it. */
    let stored: Kept;
    /** A session that ended here; storage that will not forget it cannot bring it back. */
    let buried: string | undefined;
    /** Counts calls of login and logout, of which the last one counts. */
    let wishes = 0;
    let writes: Promise<unknown> = Promise.resolve();

    /** Reads storage and believes it, if somebody else wrote. */
    async function load(): Promise<void> {
      const text = await writes
        .then(() => storage.read())
        .catch((error: unknown) => {
          if (current.session.status === 'unknown') throw new LatchkeyError('unavailable', error);
          return stored;
        });
      const before = stored;
      stored = text;
      const isFirst = current.session.status === 'unknown';
      // What was there before a login or logout that storage would not take is no news.
      if (!isFirst && (text === before || before === undefined)) return;
      const next = heldFrom(text);
      const isDead = buried !== undefined && next?.sessionId === buried;
      // Another tab wrote what it had asked for before it heard of the end.
      if (isDead) write(restOf(text)).catch(ignore);
      current.turnTo(isDead ? undefined : next, isFirst ? 'none' : 'elsewhere');
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
      const isWanted = () => current.era === asked;
      const text = textOf(pair, stored);
      // Where storage will not take it, it goes on in memory; `renew` knows.
      await write(text, isWanted).catch(ignore);
      if (isWanted()) current.turnTo(heldFrom(text), 'none');
    }

    async function renew(used: string | undefined): Promise<void> {
      await load();
      const { held: from, era: asked } = current;
      if (!from || (from.access !== used && stateOf(from) !== 'expired')) return;
      // A successor that storage would not take is never presented: after a crash, or in another tab, there is only its
      // predecessor, which the server takes as long as nobody used the successor.
      const kept = heldFrom(stored);
      const { refresh } = kept && kept.sessionId === from.sessionId ? kept : from;
      const next = await renewed({ refresh }, current.hurry.signal).catch((error: unknown) => {
        if (current.era === asked) throw error;
      });
      // Another tab may have logged out meanwhile, or got a pair where tabs have no lock.
      await load();
      if (current.era !== asked) return;
      if (next) await take(next, asked);
      else if (current.held === from) await forget('refused').catch(ignore);
    }

    async function forget(reason: LoggedOut): Promise<void> {
      buried = current.held?.sessionId;
      current.turnTo(undefined, reason);
      // Where there is no room for the device token, it goes too: what must not stay is the session.
      await write(restOf(stored)).catch(() => write(null));
    }

    const endOnServer = (refresh: string): Promise<unknown> => ask(LOGOUT, { refresh }).catch(ignore);

    async function begin(pair: Pair): Promise<Session> {
      const before = current.held;
      const asked = current.turnEra();
      await take(pair, asked);
      if (before && before.sessionId !== current.held?.sessionId) void endOnServer(before.refresh);
      if (current.held?.access !== pair.access) {
        void endOnServer(pair.refresh);
        throw new LatchkeyError('ended');
      }
      return current.session;
    }

    async function enter(
      path: string,
      bodyOf: () => Fields,
      headers?: Readonly<Record<string, string>>,
    ): Promise<Session> {
      const wish = (wishes += 1);
      await ready().catch(ignore);
      const pair = await pairFrom(path, bodyOf(), undefined, headers);
      if (wish !== wishes) {
        void endOnServer(pair.refresh);
        throw new LatchkeyError('ended');
      }
      return begin(pair);
    }

    return {
      look: load,
      renew: (used) => storage.exclusively?.(() => renew(used)) ?? renew(used),

      login: ({ username, password }) => enter(LOGIN, () => ({ username, password, device_token: deviceIn(stored) })),

      changePassword: async ({ current: old, next }) =>
        enter(PASSWORD, () => ({ current_password: old, new_password: next }), {
          Authorization: `Bearer ${await accessToken()}`,
        }),

      adopt: begin,

      async logout() {
        wishes += 1;
        current.turnEra();
        await ready().catch(ignore);
        const { held } = current;
        const told = held && endOnServer(held.refresh);
        await forget('logout').finally(() => told);
      },

      close: storage.watch?.(() => void load().catch(ignore)) ?? ignore,
    };
  });
}
