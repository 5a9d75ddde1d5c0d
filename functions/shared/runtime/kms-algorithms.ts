import type { KeySpec, SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import type { SigningAlgorithm } from '../domain/settings.ts';

/** What KMS calls a kind of key, and the one algorithm that such a key signs tokens with. */
interface InKms {
  readonly spec: KeySpec;
  readonly algorithm: SigningAlgorithmSpec;
  /** Whether KMS gets the digest of what it signs. It takes at most 4,096 bytes as they are; EdDSA knows no other way. */
  readonly digest?: 'sha256';
}

export const IN_KMS = {
  ES256: { spec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256', digest: 'sha256' },
  EdDSA: { spec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_SHA_512' },
  RS256: { spec: 'RSA_3072', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', digest: 'sha256' },
} as const satisfies Record<SigningAlgorithm, InKms>;
