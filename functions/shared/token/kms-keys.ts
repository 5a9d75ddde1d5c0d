import { createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { RotatingSecret } from '../domain/kept.ts';
import type { KeyKeeper } from '../domain/key-custody.ts';
import type { SigningAlgorithm } from '../domain/settings.ts';
import { after, type Clock, type Seconds } from '../domain/time.ts';
import { hasEnded, isInKms, ringIfAny, signingRingFrom, type KmsKey } from './key-ring.ts';
import type { KeyTimes, NewSigningKey } from './new-keys.ts';

/** A new signing key in KMS. Its `kid` is its thumbprint (RFC 7638), as that of every other. */
export async function newKmsKey(keeper: KeyKeeper, alg: SigningAlgorithm, times: KeyTimes): Promise<KmsKey> {
  const kmsKey = await keeper.make(alg);
  const publicJwk = publicJwkFrom(await keeper.publicKey(kmsKey));
  return { kid: await calculateJwkThumbprint(publicJwk), ...times, alg, kmsKey, publicJwk };
}

/** The JWK of a SubjectPublicKeyInfo in DER. @throws {Error} where it is none */
export const publicJwkFrom = (der: Uint8Array): JWK =>
  createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' }).export({ format: 'jwk' });

/** What tells which keys of KMS are still needed. */
export interface TidyNeeds {
  now: Clock;
  keeper: KeyKeeper;
  /** The secret of the signing ring. */
  signingKeys: RotatingSecret;
  /** How long a key is published before it signs. */
  publication: Seconds;
  /** Says that something went wrong which is no reason to stop. */
  warn(event: string, error: unknown): void;
}

/** No run that makes a key lasts so long. */
const LONGEST_RUN: Seconds = 3_600;

/**
 * Makes keys with `make`, and before each lets go of those in KMS that no ring needs: keys that have ended, and keys of runs that were cut
 * off before they were in a ring. So there are never more of those than an hour of such runs can leave.
 */
export const tidyBefore =
  (make: NewSigningKey, needs: TidyNeeds): NewSigningKey =>
  async (alg, times) => {
    await removeUnneeded(needs).catch((error: unknown) => needs.warn('kms-keys-not-tidied', error));
    return make(alg, times);
  };

/**
 * Removes our keys that neither the current ring nor the one that may become current needs. Young ones stay, since somebody
 * may be about to put them into a ring: nobody can when the key was made longer ago than it would have been published, as a
 * rotation that comes so late is given up.
 */
export async function removeUnneeded({ now, keeper, signingKeys, publication }: TidyNeeds): Promise<void> {
  const time = now();
  const ours = await keeper.ours();
  // In this order: a ring that becomes current between the two is seen at one of them.
  const rings = [await signingKeys.pendingText(), (await signingKeys.current())?.text];
  const needed = rings
    .flatMap((text) => ringIfAny(text, signingRingFrom) ?? [])
    .filter(isInKms)
    .filter((key) => !hasEnded(key, time))
    .map(({ kmsKey }) => kmsKey);
  for (const { id, madeAt } of ours) {
    if (after(madeAt, Math.max(publication, LONGEST_RUN)) < time && !needed.includes(id)) await keeper.remove(id);
  }
}
