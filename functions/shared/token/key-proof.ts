import { compactVerify, CompactSign } from 'jose';
import { keySetFrom, localKeySetFrom } from './public-keys.ts';
import type { SigningKey } from './key-ring.ts';
import { importedRingFrom } from './sign.ts';
import { ringText } from './new-keys.ts';

/**
 * Signs a few bytes with every key and verifies them with a published key set.
 *
 * @throws {Error} where the set lacks a key, or has another one under its name
 */
export async function proveKeys(ring: readonly SigningKey[], published: string): Promise<void> {
  keySetFrom(published);
  const keySet = localKeySetFrom(published);
  for (const { alg, kid, key } of await importedRingFrom(ringText(ring))) {
    const probe = new CompactSign(new TextEncoder().encode('probe'));
    await compactVerify(await probe.setProtectedHeader({ alg, kid }).sign(key), keySet);
  }
}
