import { importJWK, SignJWT, type CryptoKey } from 'jose';
import type { UnixSeconds } from '../domain/time.ts';
import { ACCESS_TYP, type AccessClaims } from './claims.ts';
import { keySigningAt, NoKey, signingRingFrom, type RingKey } from './key-ring.ts';

/** A signing key that was imported once, because importing costs more than signing. */
interface ImportedKey extends RingKey {
  readonly alg: string;
  readonly key: CryptoKey;
}

/** Signs the claims of an access token with the key that signs at `now`. */
export type SignAccessToken = (claims: AccessClaims, now: UnixSeconds) => Promise<string>;

/** Reads the ring of signing keys from its secret and imports them. @throws {Unfit} where it is none */
export const importedRingFrom = (text: string): Promise<readonly ImportedKey[]> =>
  Promise.all(
    signingRingFrom(text).map(async ({ privateJwk, ...rest }) => {
      const key = await importJWK(privateJwk, rest.alg);
      if (key instanceof Uint8Array) throw new NoKey('a signing key cannot be symmetric');
      return { ...rest, key };
    }),
  );

/** A signer of access tokens: JWS with exactly `alg`, `typ` and `kid` in its header (RFC 9068 section 2.1). */
export const signerWith =
  (ring: () => Promise<readonly ImportedKey[]>): SignAccessToken =>
  async (claims, now) => {
    const { alg, kid, key } = keySigningAt(await ring(), now);
    return new SignJWT({ ...claims }).setProtectedHeader({ alg, typ: ACCESS_TYP, kid }).sign(key);
  };
