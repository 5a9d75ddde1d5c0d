import { localKeySetFrom, keySetFrom } from './public-keys.ts';
import type { FindKey } from './verify.ts';

/** A published key set, read once. */
export interface PublishedKeys {
  readonly kids: ReadonlySet<string>;
  readonly find: FindKey;
}

/** Reads a published key set. @throws {Unfit} where the text is none, or has no key */
export const publishedKeysFrom = (text: string): PublishedKeys => ({
  kids: new Set(keySetFrom(text).keys.map(({ kid }) => kid ?? '')),
  find: localKeySetFrom(text),
});

/**
 * Looks keys up in a published set that may be read anew for a name that it does not know.
 *
 * @param published gives the set, read anew where it does not suffice
 */
export const keyFinderIn =
  (published: (suffices: (keys: PublishedKeys) => boolean) => Promise<PublishedKeys>): FindKey =>
  async (header, token) =>
    (await published(({ kids }) => kids.has(header.kid ?? ''))).find(header, token);
