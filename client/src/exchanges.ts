import { LatchkeyError } from './errors.ts';
import { membersOf, pairIn, type Members, type Pair } from './held.ts';
import { onAbort, pause } from './waiting.ts';

/** How often one call is tried. */
const TRIES = 4;
/** Before the second try at the most; twice as much before each further one. */
const FIRST_WAIT_MS = 500;
/** Nobody waits longer for an answer, or for the server's leave to ask again. */
const PATIENCE_MS = 15_000;

/** What a server says of a refresh token that will never be good again. */
export const REFUSALS = ['token_not_valid', 'no_active_account'];

export type Fields = Readonly<Record<string, unknown>>;
type Headers = Readonly<Record<string, string>>;

export interface Exchanges {
  /** Asks once. @throws {LatchkeyError} for every answer but a success */
  readonly ask: (path: string, body: Fields, signal?: AbortSignal, headers?: Headers) => Promise<Members>;
  /** Asks for a pair once, likewise. */
  readonly pairFrom: (path: string, body: Fields, signal?: AbortSignal, headers?: Headers) => Promise<Pair>;
  /**
   * Exchanges a refresh token, with patience.
   *
   * @returns the next pair, or undefined where the server said no for good. A 401 alone is not that: proxies and the portals
   *   of hotels say it too
   * @throws {LatchkeyError} `unavailable` after some tries
   */
  readonly renewed: (body: Fields, signal: AbortSignal) => Promise<Pair | undefined>;
}

/**
 * @param send fetches a path of the API
 * @param refusals codes of answers by which a session is over
 * @param blank what answers have in the place of a refresh token, where they have none
 */
export function exchangesWith(
  send: (path: string, init: Omit<RequestInit, 'headers'> & { readonly headers: Headers }) => Promise<Response>,
  refusals: readonly unknown[],
  blank?: string,
): Exchanges {
  /** By `performance.now()`: the server asked not to be called before. */
  let notBefore = 0;

  const ask: Exchanges['ask'] = async (path, body, signal, headers) => {
    const limit = new AbortController();
    const end = () => limit.abort();
    const timer = setTimeout(end, PATIENCE_MS);
    const stop = onAbort(signal, end);
    const [{ ok, status, headers: said }, text] = await send(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
      credentials: 'omit',
      // A redirect would take the body, and so the token, with it.
      redirect: 'error',
      signal: limit.signal,
    })
      .then(async (answer) => [answer, await answer.text()] as const)
      .catch((error: unknown) => {
        throw new LatchkeyError('unavailable', error);
      })
      .finally(() => {
        clearTimeout(timer);
        stop();
      });
    const members = membersOf(() => text);
    if (ok && text.startsWith('{')) return members;
    // A number of seconds or a date (RFC 9110 section 10.2.3).
    const again = said.get('retry-after') ?? '';
    const wait = Math.max(0, Number(again) * 1000 || Date.parse(again) - Date.now()) || 0;
    const kind = ok || status === 429 || status >= 500 ? 'unavailable' : 'refused';
    throw new LatchkeyError(kind, undefined, status, members, wait);
  };

  const pairFrom: Exchanges['pairFrom'] = async (path, body, signal, headers) => {
    const pair = pairIn(blank, await ask(path, body, signal, headers));
    if (!pair) throw new LatchkeyError('unavailable');
    return pair;
  };

  async function renewed(body: Fields, signal: AbortSignal): Promise<Pair | undefined> {
    let last: unknown;
    for (let tried = 0; tried < TRIES && !signal.aborted; tried += 1) {
      // Full jitter: clients that failed together do not come back together.
      const backoff = tried && Math.random() * FIRST_WAIT_MS * 2 ** (tried - 1);
      const ordered = Math.max(0, notBefore - performance.now());
      if (ordered > PATIENCE_MS) break;
      if (ordered + backoff > 0) await pause(ordered + backoff, signal);
      try {
        return await pairFrom('/api/token/refresh', body, signal);
      } catch (error) {
        const { status, problem, retryAfter } = error as LatchkeyError;
        if (status === 401 && refusals.includes(problem['code'])) return undefined;
        notBefore = performance.now() + retryAfter;
        last = error;
      }
    }
    throw new LatchkeyError('unavailable', last);
  }

  return { ask, pairFrom, renewed };
}
