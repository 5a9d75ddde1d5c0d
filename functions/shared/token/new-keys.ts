import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { SigningAlgorithm } from '../domain/settings.ts';
import type { UnixSeconds } from '../domain/time.ts';
import type { KeptKey, SharedSecret, SigningKey } from './key-ring.ts';

/** RS256 keys; 2048 bits are out of favour after 2030 (NIST SP 800-57 part 1). */
const RSA_BITS = 3072;

/** As long as the hash of the MAC it keys: SHA-384 for peppers, more than SHA-256 needs. */
const SECRET_BYTES = 48;

/** When a new key is published and when it signs. */
export interface KeyTimes {
  readonly publishedAt: UnixSeconds;
  readonly signsFrom: UnixSeconds;
}

/** Makes a signing key, wherever it is then kept. */
export type NewSigningKey = (alg: SigningAlgorithm, times: KeyTimes) => Promise<SigningKey>;

/** A new signing key that is kept in its ring. Its `kid` is its thumbprint (RFC 7638), so that no two keys can share one. */
export async function newSigningKey(alg: SigningAlgorithm, times: KeyTimes): Promise<KeptKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS });
  const privateJwk = await exportJWK(privateKey);
  return { kid: await calculateJwkThumbprint(privateJwk), ...times, alg, privateJwk };
}

/** A new refresh secret or pepper: random bytes. */
export const newSharedSecret = (times: KeyTimes): SharedSecret => ({
  kid: Buffer.from(crypto.getRandomValues(new Uint8Array(9))).toString('base64url'),
  ...times,
  secret: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)),
});

/** A ring as its secret holds it. */
export const ringText = (keys: readonly (SigningKey | SharedSecret)[]): string =>
  JSON.stringify({
    keys: keys.map((key) =>
      'secret' in key ? { ...key, secret: Buffer.from(key.secret).toString('base64url') } : key,
    ),
  });
