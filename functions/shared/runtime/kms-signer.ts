import { createHash } from 'node:crypto';
import { type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { KeyUnusable, type SignRemotely } from '../domain/key-custody.ts';
import { Outage } from '../domain/refusal.ts';
import { IN_KMS } from './kms-algorithms.ts';
import { kmsClient } from './kms-client.ts';

/** What KMS says of a key that was retired, disabled or deleted. */
const UNUSABLE = new Set(['KMSInvalidStateException', 'DisabledException', 'NotFoundException']);

/** Errors that mean we asked wrongly; to say "out of reach" would hide a defect. */
const DEFECTS = new Set(['ValidationException', 'SerializationException', 'InvalidKeyUsageException']);

/** Signs in KMS: one call, and its price, for each signature. */
export function signerInKms(client: KMSClient = kmsClient()): SignRemotely {
  return async (id, alg, input) => {
    const { algorithm, ...how } = IN_KMS[alg];
    const isDigest = 'digest' in how;
    try {
      const { Signature } = await client.send(
        new SignCommand({
          KeyId: id,
          SigningAlgorithm: algorithm,
          MessageType: isDigest ? 'DIGEST' : 'RAW',
          Message: isDigest ? createHash(how.digest).update(input).digest() : input,
        }),
      );
      if (Signature === undefined) throw new Error('KMS answered no signature');
      return Signature;
    } catch (error) {
      if (error instanceof Error && UNUSABLE.has(error.name)) throw new KeyUnusable('', { cause: error });
      if (error instanceof Error && DEFECTS.has(error.name)) throw error;
      throw new Outage('KMS out of reach', error);
    }
  };
}
