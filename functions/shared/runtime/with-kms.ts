import type { KeyKeeper, SignRemotely } from '../domain/key-custody.ts';
import { keeperInKms } from './kms-keeper.ts';
import { signerInKms } from './kms-signer.ts';

/**
 * Put here when a function is bundled for a deployment without keys in KMS: then no byte of its client is in the bundle. Asked in
 * each place, because the bundler does not carry the answer from one to the other.
 */
declare const WITHOUT_KMS: true;

/** Signs with keys of KMS; undefined where the deployment has none. */
export const remoteSigner = (): SignRemotely | undefined =>
  typeof WITHOUT_KMS === 'undefined' ? signerInKms() : undefined;

/** Makes keys in KMS and takes them back; undefined where the deployment has none. @param ring the ARN of the ring's secret */
export const keyKeeper = (ring: string): KeyKeeper | undefined =>
  typeof WITHOUT_KMS === 'undefined' ? keeperInKms(ring) : undefined;
