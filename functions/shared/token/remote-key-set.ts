import { errors } from 'jose';
import { Outage } from '../domain/refusal.ts';
import type { Clock, Seconds, UnixSeconds } from '../domain/time.ts';
import { localKeySetFrom } from './public-keys.ts';
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
 * A key set fetched from its URL and kept: refetched once on an unknown `kid`, with a cool-down, and served stale while its
 * URL does not answer, or answers anything but a key set. (The remote set of `jose` has no cool-down for failures.)
 *
 * @returns a `jose` key set that throws {@link Outage} where a key cannot be had because the set cannot
 */
export function remoteKeySet(url: URL, clock: Clock, terms: FetchTerms = FETCH_TERMS): FindKey {
  let keys: FindKey | undefined;
  let fetchedAt: UnixSeconds | undefined;
  /** Of the last fetch, also one that failed. */
  let triedAt: UnixSeconds | undefined;
  let failure: unknown;
  let fetching: Promise<void> | undefined;

  const isWithin = (time: UnixSeconds | undefined, age: Seconds) => time !== undefined && clock() - time < age;

  const fetchAnew = async (): Promise<void> => {
    triedAt = clock();
    failure = undefined;
    try {
      keys = localKeySetFrom(await textAt(url, terms.answerWithin));
      fetchedAt = triedAt;
    } catch (error) {
      failure = error;
    } finally {
      fetching = undefined;
    }
  };

  /** Awaited by whoever causes it, because Lambda freezes what runs behind an answer; shared by those who come meanwhile. */
  const refetch = async (): Promise<void> => {
    if (fetching === undefined && isWithin(triedAt, terms.coolDown)) return;
    fetching ??= fetchAnew();
    await fetching;
  };

  const lookUp: FindKey = async (header, token) => {
    if (keys === undefined) throw new Outage('key set unreachable', failure);
    try {
      return await keys(header, token);
    } catch (error) {
      throw error instanceof errors.JWKSNoMatchingKey ? error : new Outage('key set unusable', error);
    }
  };

  return async (header, token) => {
    if (!isWithin(fetchedAt, terms.freshFor)) await refetch();
    try {
      return await lookUp(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await refetch();
    // Only a set that could be had can say that there is no such key.
    if (failure !== undefined) throw new Outage('key set unreachable', failure);
    return lookUp(header, token);
  };
}

async function textAt(url: URL, within: Seconds): Promise<string> {
  const response = await fetch(url, {
    headers: { Accept: 'application/jwk-set+json, application/json' },
    // Keys come from where the issuer says and from nowhere else.
    redirect: 'manual',
    signal: AbortSignal.timeout(within * 1000),
  });
  if (response.status !== 200) throw new Error(`the key set's URL answered ${response.status}`);
  return response.text();
}
