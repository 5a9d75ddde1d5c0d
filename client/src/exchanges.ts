import { LatchkeyError } from './errors.ts';
import { membersOf, type Members, type Pair } from './held.ts';
import type { Call, Transport } from './transport.ts';
import { inTime, pause } from './waiting.ts';

/** How often one call is tried. */
const TRIES = 4;
/** Before the second try at the most; twice as much before each further one. */
const FIRST_WAIT_MS = 500;
/** Nobody waits longer for an answer, or for the server's leave to ask again. */
const PATIENCE_MS = 15_000;

/** What a server says of a refresh token that will never be good again. */
const REFUSALS: readonly unknown[] = ['token_not_valid', 'no_active_account'];

export interface Exchanges {
  /** Asks once. @throws {LatchkeyError} for every answer but a success */
  readonly ask: (call: Call, signal?: AbortSignal) => Promise<Members>;
  /**
   * Exchanges a refresh token, with patience.
   *
   * @returns the next pair, or undefined where the server said no for good. A 401 alone is not that: proxies and the portals
   *   of hotels say it too
   * @throws {LatchkeyError} `unavailable` after some tries
   */
  readonly renewed: (refresh: string, signal: AbortSignal) => Promise<Pair | undefined>;
}

/** @param send fetches a path of the API */
export function exchangesWith(
  transport: Transport,
  send: (path: string, init: RequestInit) => Promise<Response>,
): Exchanges {
  /** By `performance.now()`: the server asked not to be called before. */
  let notBefore = 0;

  async function ask(call: Call, signal?: AbortSignal): Promise<Members> {
    const limit = new AbortController();
    const stop = inTime(PATIENCE_MS, signal, () => limit.abort());
    const [{ ok, status, headers }, text] = await send(call.path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...call.headers },
      body: JSON.stringify(call.body),
      credentials: call.credentials ?? 'omit',
      // A redirect would take the body, and so the token, with it.
      redirect: 'error',
      signal: limit.signal,
    })
      .then(async (answer) => [answer, await answer.text()] as const)
      .catch((error: unknown) => {
        throw new LatchkeyError('unavailable', error);
      })
      .finally(stop);
    const members = membersOf(() => text);
    if (ok) return members;
    // A number of seconds or a date (RFC 9110 section 10.2.3).
    const again = headers.get('retry-after') ?? '';
    const wait = Math.max(0, Number(again) * 1000 || Date.parse(again) - Date.now()) || 0;
    const kind = status === 429 || status >= 500 ? 'unavailable' : 'refused';
    throw new LatchkeyError(kind, undefined, status, members, wait);
  }

  async function renewed(refresh: string, signal: AbortSignal): Promise<Pair | undefined> {
    let last: unknown;
    for (let tried = 0; tried < TRIES && !signal.aborted; tried += 1) {
      // Full jitter: clients that failed together do not come back together.
      const backoff = tried && Math.random() * FIRST_WAIT_MS * 2 ** (tried - 1);
      const ordered = Math.max(0, notBefore - performance.now());
      if (ordered > PATIENCE_MS) break;
      if (ordered + backoff > 0) await pause(ordered + backoff, signal);
      try {
        const pair = transport.pairIn(await ask(transport.refresh(refresh), signal));
        if (pair) return pair;
      } catch (error) {
        const { status, problem, retryAfter } = error as LatchkeyError;
        if (status === 401 && REFUSALS.includes(problem['code'])) return undefined;
        notBefore = performance.now() + retryAfter;
        last = error;
      }
    }
    throw new LatchkeyError('unavailable', last);
  }

  return { ask, renewed };
}
