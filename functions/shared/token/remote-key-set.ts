import { errors } from 'jose';
import { Outage } from '../domain/refusal.ts';
import type { Clock, Seconds, UnixSeconds } from '../domain/time.ts';
import { localKeySetFrom } from './public-keys.ts';
import type { FindKey } from './verify.ts';

/** How often a key set is fetched, for how long a fetch may take, and for how long a set may be used. */
export interface FetchTerms {
  /** An unknown `kid` causes no second fetch within this time, whether the first succeeded or not. */
  readonly coolDown: Seconds;
  /** As {@link coolDown}, while there is no set that may be used: nobody is let in then. Longer than a fetch may take. */
  readonly coolDownWithoutKeys: Seconds;
  /** A set older than this is fetched anew by the next request, which does with the old one if that fails. */
  readonly freshFor: Seconds;
  /** A set older than this is not used any more, however long its URL does not answer. */
  readonly usableFor: Seconds;
  readonly answerWithin: Seconds;
}

export const FETCH_TERMS: Omit<FetchTerms, 'usableFor'> = {
  coolDown: 30,
  coolDownWithoutKeys: 3,
  freshFor: 300,
  answerWithin: 2,
};

/** A key set at a URL. */
export interface RemoteKeySet {
  /** A `jose` key set that throws {@link Outage} where a key cannot be had because the set cannot. */
  readonly findKey: FindKey;
  /**
   * Begins to fetch the set before anybody asks for a key, so that a cold start and a fetch take their time together. A
   * failure counts for nothing: a process may be frozen in the middle of it, and the first request tries again.
   */
  fetchAhead(): void;
}

/**
 * A key set fetched from its URL and kept: refetched once on an unknown `kid`, with a cool-down, and served stale while its
 * URL does not answer, or answers anything but a key set. (The remote set of `jose` has no cool-down for failures.)
 */
export function remoteKeySet(url: URL, clock: Clock, terms: FetchTerms): RemoteKeySet {
  let keys: FindKey | undefined;
  let fetchedAt: UnixSeconds | undefined;
  /** Of the last fetch that counts, also one that failed. */
  let triedAt: UnixSeconds | undefined;
  let failure: unknown;
  let fetching: Promise<void> | undefined;

  const isWithin = (time: UnixSeconds | undefined, age: Seconds) => time !== undefined && clock() - time < age;
  const isUsable = () => isWithin(fetchedAt, terms.usableFor);

  const fetchAnew = async (isAhead: boolean): Promise<void> => {
    const startedAt = clock();
    triedAt = startedAt;
    failure = undefined;
    try {
      keys = localKeySetFrom(await textAt(url, terms.answerWithin));
      fetchedAt = startedAt;
    } catch (error) {
      failure = error;
      if (isAhead) triedAt = undefined;
    } finally {
      fetching = undefined;
    }
  };

  /** Awaited by whoever causes it, because Lambda freezes what runs behind an answer; shared by those who come meanwhile. */
  const refetch = async (): Promise<void> => {
    const coolDown = isUsable() ? terms.coolDown : terms.coolDownWithoutKeys;
    if (fetching === undefined && isWithin(triedAt, coolDown)) return;
    fetching ??= fetchAnew(false);
    await fetching;
  };

  const lookUp: FindKey = async (header, token) => {
    if (keys === undefined || !isUsable()) throw new Outage('key set unreachable', failure);
    try {
      return await keys(header, token);
    } catch (error) {
      throw error instanceof errors.JWKSNoMatchingKey ? error : new Outage('key set unusable', error);
    }
  };

  return {
    fetchAhead: () => void (fetching ??= fetchAnew(true)),
    findKey: async (header, token) => {
      if (!isWithin(fetchedAt, terms.freshFor)) await refetch();
      // Where that was the fetch ahead, and it failed, there is one more; any other is in its cool-down now.
      if (!isUsable()) await refetch();
      try {
        return await lookUp(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      }
      await refetch();
      // Only a set that could be had can say that there is no such key.
      if (failure !== undefined) throw new Outage('key set unreachable', failure);
      return lookUp(header, token);
    },
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
