import type { SigningAlgorithm } from '../../functions/shared/domain/settings.ts';
import { unixSeconds } from '../../functions/shared/domain/time.ts';
import { signingRingFrom } from '../../functions/shared/token/key-ring.ts';
import { newSharedSecret, newSigningKey, ringText, type NewSigningKey } from '../../functions/shared/token/new-keys.ts';
import { publicKeysOf } from '../../functions/shared/token/public-keys.ts';

/** The rings of one installation, each as the text its secret or parameter holds. */
export interface KeyTexts {
  readonly signing: string;
  readonly refresh: string;
  readonly peppers: string;
  readonly published: string;
}

/**
 * New rings of one key each, which sign from long ago on.
 *
 * @param make makes the signing key; unless told, one that is kept in its ring
 */
export async function newKeyTexts(
  alg: SigningAlgorithm = 'ES256',
  make: NewSigningKey = newSigningKey,
): Promise<KeyTexts> {
  const longAgo = { publishedAt: unixSeconds(0), signsFrom: unixSeconds(0) };
  const signing = ringText([await make(alg, longAgo)]);
  return {
    signing,
    refresh: ringText([newSharedSecret(longAgo)]),
    peppers: ringText([newSharedSecret(longAgo)]),
    published: JSON.stringify(publicKeysOf(signingRingFrom(signing), unixSeconds(0))),
  };
}
