import type { Client } from './api.ts';
import type { Destinations } from './destination.ts';
import { LatchkeyError } from './errors.ts';
import { isExpired, isStale } from './freshness.ts';
import type { Token } from './held.ts';
import { ignore, unlessAborted } from './waiting.ts';

/**
 * Requests with the access token.
 *
 * @param eraNow counts the sessions that began or ended
 * @param ready finds out who is logged in, if that was not done yet
 * @param renewOnce gets the token after one, unless somebody did already
 */
export function requestsWith(
  send: typeof globalThis.fetch,
  { urlOf, isTrusted }: Destinations,
  eraNow: () => number,
  tokenNow: () => Token | undefined,
  ready: () => Promise<unknown>,
  renewOnce: (used: string) => Promise<void>,
): Pick<Client, 'fetch' | 'accessToken'> {
  async function accessToken(): Promise<string | undefined> {
    await ready();
    const era = eraNow();
    const held = tokenNow();
    if (!held) return undefined;
    if (isExpired(held)) await renewOnce(held.access);
    else if (isStale(held)) renewOnce(held.access).catch(ignore);
    // Never as somebody else, and not as nobody.
    if (eraNow() !== era) throw new LatchkeyError('ended');
    return tokenNow()?.access;
  }

  return {
    accessToken,

    async fetch(input, init = {}) {
      const request = typeof input === 'object' && 'url' in input ? input : undefined;
      const url = request ? request.url : urlOf((input as URL).toString());
      const target = request ?? url;
      const headers = new Headers(init.headers ?? request?.headers);
      if (!isTrusted(url) || headers.has('authorization')) return send(target, init);

      const signal = init.signal ?? request?.signal;
      const used = await unlessAborted(accessToken(), signal);
      if (used === undefined) return send(target, init);
      const era = eraNow();
      const attempt = (token: string, to: string | Request) => {
        headers.set('Authorization', `Bearer ${token}`);
        // A redirect could lead to another origin; who asks for it trusts the platform to take the token off there.
        return send(to, { redirect: 'error', ...init, headers });
      };
      const spare = request ? request.clone() : target;
      const answer = await attempt(used, target);
      if (answer.status !== 401) return answer;
      await unlessAborted(renewOnce(used), signal);
      const next = tokenNow()?.access;
      // A body that is gone once it was sent.
      const body = Object(init.body) as object;
      if (
        'getReader' in body ||
        Symbol.asyncIterator in body ||
        eraNow() !== era ||
        next === undefined ||
        next === used
      )
        return answer;
      answer.body?.cancel().catch(ignore);
      return attempt(next, spare);
    },
  };
}
