/** What others need of a place that keeps signing keys and never lets one out: AWS KMS. */
import type { SigningAlgorithm } from './settings.ts';
import type { UnixSeconds } from './time.ts';

/**
 * Signs with a key that does not leave its keeper, and answers as the keeper does: a signature of ECDSA comes in DER.
 *
 * @param id names the key
 * @param input what is signed, not its digest
 * @throws {KeyUnusable}
 * @throws {Outage} where the keeper is out of reach, throttles or fails
 */
export type SignRemotely = (id: string, alg: SigningAlgorithm, input: Uint8Array) => Promise<Uint8Array>;

/** The keeper has taken a key out of service: it was retired, or somebody disabled it. */
export class KeyUnusable extends Error {
  override readonly name = 'KeyUnusable';
}

/** A keeper as those see it who make keys and take them back. None of this can sign. */
export interface KeyKeeper {
  /** Makes a key that is marked as ours. @returns its id, which is its ARN */
  make(alg: SigningAlgorithm): Promise<string>;
  /** The public key of a key, as SubjectPublicKeyInfo in DER (RFC 5280 section 4.1). */
  publicKey(id: string): Promise<Uint8Array>;
  /** Our keys that are there and on no way out, whether any ring knows them or not. */
  ours(): Promise<readonly { readonly id: string; readonly madeAt: UnixSeconds }[]>;
  /** Takes a key out of service at once and for good; of one that is gone already it makes nothing. */
  remove(id: string): Promise<void>;
}
