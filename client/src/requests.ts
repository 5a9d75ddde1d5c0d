import type { Client } from './api.ts';
import type { Destinations } from './destination.ts';
import { LatchkeyError } from './errors.ts';
import { isExpired, isStale } from './freshness.ts';
import type { Held } from './held.ts';
import { ignore, unlessAborted } from './waiting.ts';

/** Who is logged in at a moment, and in which of the eras that begin with each session and with each end of one. */
export interface Moment {
  readonly era: number;
  readonly held: Held | undefined;
}

/**
 * Requests with the access token.
 *
 * @param ready finds out who is logged in, if that was not done yet
 * @param renewOnce gets the token after one, unless somebody did already
 */
export function requestsWith(
  send: typeof globalThis.fetch,
  { urlOf, isTrusted }: Destinations,
  now: () => Moment,
  ready: () => Promise<unknown>,
  renewOnce: (used: string) => Promise<void>,
): Pick<Client, 'fetch' | 'accessToken'> {
  async function accessToken(): Promise<string | undefined> {
    await ready();
    const { era, held } = now();
    if (!held) return undefined;
    if (isExpired(held)) await renewOnce(held.access);
    else if (isStale(held)) renewOnce(held.access).catch(ignore);
    // Never as somebody else, and not as nobody.
    if (now().era !== era) throw new LatchkeyError('ended');
    return now().held?.access;
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
      const { era } = now();
      const attempt = (token: string, to: string | Request) => {
        headers.set('Authorization', `Bearer ${token}`);
        // A redirect could lead to another origin; who asks for it trusts the platform to take the token off there.
        return send(to, { redirect: 'error', ...init, headers });
      };
      const spare = request ? request.clone() : target;
      const answer = await attempt(used, target);
      if (answer.status !== 401) return answer;
      await unlessAborted(renewOnce(used), signal);
      const { era: after, held } = now();
      const next = held?.access;
      if (isStream(init.body) || after !== era || next === undefined || next === used) return answer;
      answer.body?.cancel().catch(ignore);
      return attempt(next, spare);
    },
  };
}

/** A body that is gone once it was sent. */
const isStream = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body);
