import { LatchkeyError } from './errors.ts';
import { membersOf, type Members } from './held.ts';
import { onAbort, pause } from './waiting.ts';

/** How often one call is tried. */
const TRIES = 4;
/** Twice as much before the second try at the most, and again twice as much before each further one. */
const HALF_WAIT_MS = 250;
/** Nobody waits longer for an answer, or for the server's leave to ask again. */
const PATIENCE_MS = 15_000;

/** What a server says of a refresh token that will never be good again. */
export const REFUSALS = ['token_not_valid', 'no_active_account'];

type Headers = Readonly<Record<string, string>>;

/** What is looked for in an answer. @returns undefined for what is no answer of the server's */
export type Find<Tokens> = (answer: Members, text: string) => Tokens | undefined;

export interface Exchanges<Tokens> {
  /** Asks once, for tokens unless told. @throws {LatchkeyError} for every answer but a success that has them */
  readonly ask: (
    path: string,
    fields: object,
    signal?: AbortSignal,
    headers?: Headers,
    find?: Find<Tokens>,
  ) => Promise<Tokens>;
  /**
   * Exchanges a refresh token, with patience.
   *
   * @returns the next ones, or undefined where the server said no for good. A 401 alone is not that: proxies and the portals
   *   of hotels say it too
   * @throws {LatchkeyError} `unavailable` after some tries
   */
  readonly renewed: (fields: object, signal: AbortSignal) => Promise<Tokens | undefined>;
}

/**
 * @param send fetches a path of the API
 * @param refusals codes of answers by which a session is over
 */
export function exchangesWith<Tokens>(
  send: (path: string, init: Omit<RequestInit, 'headers'> & { readonly headers: Headers }) => Promise<Response>,
  refusals: readonly unknown[],
  tokensIn: Find<Tokens>,
): Exchanges<Tokens> {
  /** By `performance.now()`: the server asked not to be called before. */
  let notBefore = 0;

  const ask: Exchanges<Tokens>['ask'] = async (path, fields, signal, headers, find = tokensIn) => {
    const limit = new AbortController();
    const end = () => limit.abort();
    const timer = setTimeout(end, PATIENCE_MS);
    const stop = onAbort(signal, end);
    let text = '';
    const {
      ok,
      status,
      headers: said,
    } = await send(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(fields),
      credentials: 'omit',
      // A redirect would take the body, and so the token, with it.
      redirect: 'error',
      signal: limit.signal,
    })
      .then(async (answer) => {
        text = await answer.text();
        return answer;
      })
      .catch((error: unknown) => {
        throw new LatchkeyError('unavailable', error);
      })
      .finally(() => {
        clearTimeout(timer);
        stop();
      });
    const members = membersOf(() => text);
    const found = ok && find(members, text);
    if (found) return found;
    // A number of seconds or a date (RFC 9110 section 10.2.3).
    const again = said.get('retry-after') ?? '';
    const wait = Math.max(0, Number(again) * 1000 || Date.parse(again) - Date.now()) || 0;
    const kind = ok || status === 429 || status >= 500 ? 'unavailable' : 'refused';
    throw new LatchkeyError(kind, undefined, status, members, wait);
  };

  async function renewed(fields: object, signal: AbortSignal): Promise<Tokens | undefined> {
    let last: unknown;
    for (let tried = 0; tried < TRIES && !signal.aborted; tried += 1) {
      // Full jitter: clients that failed together do not come back together.
      const backoff = tried && Math.random() * HALF_WAIT_MS * 2 ** tried;
      const ordered = Math.max(0, notBefore - performance.now());
      if (ordered > PATIENCE_MS) break;
      if (ordered + backoff > 0) await pause(ordered + backoff, signal);
      try {
        return await ask('/api/token/refresh', fields, signal);
      } catch (error) {
        const { status, problem, retryAfter } = error as LatchkeyError;
        if (status === 401 && refusals.includes(problem['code'])) return undefined;
        notBefore = performance.now() + retryAfter;
        last = error;
      }
    }
    throw new LatchkeyError('unavailable', last);
  }

  return { ask, renewed };
}
