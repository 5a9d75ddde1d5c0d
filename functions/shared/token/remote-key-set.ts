import { createRemoteJWKSet, customFetch, errors } from 'jose';
import { Outage } from '../domain/refusal.ts';
import type { Clock, Seconds, UnixSeconds } from '../domain/time.ts';
import type { FindKey } from './verify.ts';

/** How often a key set is fetched, and for how long a fetch may take. */
export interface FetchTerms {
  /** An unknown `kid` causes no second fetch within this time, whether the first succeeded or not. */
  readonly coolDown: Seconds;
  /** A set older than this is fetched anew by the next request, which does with the old one if that fails. */
  readonly freshFor: Seconds;
  readonly answerWithin: Seconds;
}

export const FETCH_TERMS: FetchTerms = { coolDown: 30, freshFor: 300, answerWithin: 2 };

/**
 * A key set fetched from its URL and kept: refetched once on an unknown `kid`, with a cool-down, and served stale
 * while its URL does not answer.
 *
 * @returns a `jose` key set that throws {@link Outage} where there is no key because the set cannot be had
 */
export function remoteKeySet(url: URL, clock: Clock, terms: FetchTerms = FETCH_TERMS): FindKey {
  let fetchedAt: UnixSeconds | undefined;
  let failedAt: UnixSeconds | undefined;

  const fetchUnlessFailing = async (from: string, options: RequestInit): Promise<Response> => {
    if (failedAt !== undefined && clock() - failedAt < terms.coolDown) throw new Outage('key set unreachable');
    try {
      const response = await fetch(from, options);
      if (response.status !== 200) throw new Outage('key set not served');
      failedAt = undefined;
      fetchedAt = clock();
      return response;
    } catch (error) {
      failedAt = clock();
      throw error;
    }
  };

  const keySet = createRemoteJWKSet(url, {
    cooldownDuration: terms.coolDown * 1000,
    cacheMaxAge: Infinity,
    timeoutDuration: terms.answerWithin * 1000,
    [customFetch]: fetchUnlessFailing,
  });

  return async (header, token) => {
    if (fetchedAt !== undefined && clock() - fetchedAt >= terms.freshFor) {
      // Awaited, because Lambda freezes what runs behind an answer. A failure starts its own cool-down.
      await keySet.reload().catch(() => undefined);
    }
    try {
      return await keySet(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      if (error instanceof errors.JOSENotSupported) throw error;
      throw error instanceof Outage ? error : new Outage('key set unreachable', error);
    }
  };
}
