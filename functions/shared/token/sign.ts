import { importJWK, SignJWT, type CryptoKey } from 'jose';
import { KeyUnusable, type SignRemotely } from '../domain/key-custody.ts';
import { Outage } from '../domain/refusal.ts';
import type { UnixSeconds } from '../domain/time.ts';
import { ACCESS_TYP, type AccessClaims } from './claims.ts';
import { jwsSignatureFrom } from './ecdsa-signature.ts';
import {
  hasEnded,
  isInKms,
  keySigningAt,
  NoKey,
  signingRingFrom,
  type KeptKey,
  type KmsKey,
  type RingOf,
} from './key-ring.ts';

/** A key of the ring that was imported once, because importing costs more than signing. */
type ImportedKey = Omit<KeptKey, 'privateJwk'> & { readonly key: CryptoKey };

/** A signing key as it is used: here, or where it is kept. */
type ReadyKey = ImportedKey | KmsKey;

/** Signs the claims of an access token with the key that signs at `now`. */
export type SignAccessToken = (claims: AccessClaims, now: UnixSeconds) => Promise<string>;

/** Reads the ring of signing keys from its secret and imports them. @throws {Unfit} where it is none */
export const importedRingFrom = (text: string): Promise<readonly ReadyKey[]> =>
  Promise.all(signingRingFrom(text).map(async (key) => (isInKms(key) ? key : imported(key))));

/** @throws {NoKey} for a symmetric key */
export async function imported({ privateJwk, ...rest }: KeptKey): Promise<ImportedKey> {
  const key = await importJWK(privateJwk, rest.alg);
  if (key instanceof Uint8Array) throw new NoKey('a signing key cannot be symmetric');
  return { ...rest, key };
}

/** What stands in for KMS in a bundle that has none. */
const nobody: SignRemotely = () => Promise.reject(new Outage('a key of KMS, which this bundle does not know'));

/**
 * A signer of access tokens: JWS with exactly `alg`, `typ` and `kid` in its header (RFC 9068 section 2.1).
 *
 * @param signRemotely signs with the keys that are in KMS. Where it cannot any more because the key was retired a moment
 *   ago, the ring is read anew, and the key that signs by now takes its place.
 */
export const signerWith =
  (ring: RingOf<ReadyKey>, signRemotely: SignRemotely = nobody): SignAccessToken =>
  async (claims, now) => {
    const key = keySigningAt(await ring(), now);
    const sign = (one: ReadyKey) =>
      isRemote(one) ? signedRemotely(claims, one, signRemotely) : signedHere(claims, one);
    try {
      return await sign(key);
    } catch (error) {
      if (!(error instanceof KeyUnusable)) throw error;
      const isRetired = (keys: readonly ReadyKey[]) => !keys.some((one) => one.kid === key.kid && !hasEnded(one, now));
      const heir = keySigningAt(await ring(isRetired), now);
      if (heir.kid === key.kid) throw new Outage('signing key out of service', error);
      return sign(heir);
    }
  };

const isRemote = (key: ReadyKey): key is KmsKey => 'kmsKey' in key;

const signedHere = (claims: AccessClaims, { alg, kid, key }: ImportedKey): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg, typ: ACCESS_TYP, kid }).sign(key);

/** By hand, because jose signs with keys that it holds alone (RFC 7515 section 7.1). */
async function signedRemotely(claims: AccessClaims, { alg, kid, kmsKey }: KmsKey, sign: SignRemotely): Promise<string> {
  const input = `${encoded({ alg, typ: ACCESS_TYP, kid })}.${encoded(claims)}`;
  const answer = await sign(kmsKey, alg, Buffer.from(input));
  const signature = alg === 'ES256' ? jwsSignatureFrom(answer) : answer;
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
