import { calculateJwkThumbprint, compactVerify, CompactSign } from 'jose';
import type { KeyKeeper } from '../domain/key-custody.ts';
import { isInKms, type KeptKey, type KmsKey, type SigningKey } from './key-ring.ts';
import { publicJwkFrom } from './kms-keys.ts';
import { keySetFrom, localKeySetFrom } from './public-keys.ts';
import { imported } from './sign.ts';

/**
 * Tries every key with a published key set: a few bytes are signed and verified. A key of KMS signs nothing here, because
 * who makes keys must not be able to make tokens; what KMS says is its public key must be what is published.
 *
 * @param keeper where the keys of KMS are
 * @throws {Error} where the set lacks a key, or has another one under its name
 */
export async function proveKeys(
  ring: readonly SigningKey[],
  published: string,
  keeper?: Pick<KeyKeeper, 'publicKey'>,
): Promise<void> {
  keySetFrom(published);
  for (const key of ring) await (isInKms(key) ? proveKmsKey(key, published, keeper) : proveKeptKey(key, published));
}

async function proveKeptKey(kept: KeptKey, published: string): Promise<void> {
  const { alg, kid, key } = await imported(kept);
  const probe = new CompactSign(new TextEncoder().encode('probe'));
  await compactVerify(await probe.setProtectedHeader({ alg, kid }).sign(key), localKeySetFrom(published));
}

async function proveKmsKey(
  { kid, kmsKey }: KmsKey,
  published: string,
  keeper: Pick<KeyKeeper, 'publicKey'> | undefined,
): Promise<void> {
  if (keeper === undefined) throw new Error('a key of KMS, and nobody to ask');
  const own = publicJwkFrom(await keeper.publicKey(kmsKey));
  const others = keySetFrom(published).keys.filter((key) => key.kid === kid);
  // A name is a thumbprint, so keys of one name are one key.
  const kids = await Promise.all([own, ...others].map((key) => calculateJwkThumbprint(key)));
  if (others.length !== 1 || kids.some((one) => one !== kid)) throw new Error('another key under its name');
}
