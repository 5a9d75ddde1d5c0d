import type { SigningAlgorithm } from '../../functions/shared/domain/settings.ts';
import { after, unixSeconds } from '../../functions/shared/domain/time.ts';
import type { KeptKey, SharedSecret } from '../../functions/shared/token/key-ring.ts';
import { newSharedSecret, newSigningKey, ringText } from '../../functions/shared/token/new-keys.ts';
import { localKeySetFrom, publicKeysOf } from '../../functions/shared/token/public-keys.ts';
import {
  importedSecretsFrom,
  refreshReaderWith,
  refreshTokensWith,
  type MakeRefreshToken,
  type ReadRefreshToken,
} from '../../functions/shared/token/refresh-token.ts';
import { importedRingFrom, signerWith, type SignAccessToken } from '../../functions/shared/token/sign.ts';
import { verifierWith, type VerifyAccessToken } from '../../functions/shared/token/verify.ts';
import { aSession, aUser } from './builders.ts';
import { START } from './clock.ts';
import { forgerWith, signSegments, type Forge, type SignSegments } from './forge.ts';

/** What the access tokens of tests are issued under. */
export const TERMS = { issuer: 'https://issuer.example/v1', audience: 'api', clientId: 'app', lifetime: 900 };

const LONG_AGO = { publishedAt: unixSeconds(0), signsFrom: unixSeconds(0) };

/** One signing key, the tokens it makes and whatever else it can be made to sign. */
export interface Issuer {
  readonly key: KeptKey;
  readonly sign: SignAccessToken;
  readonly verify: VerifyAccessToken;
  readonly forge: Forge;
  readonly signSegments: SignSegments;
  /** Of a good token. */
  readonly header: { readonly alg: string; readonly typ: string; readonly kid: string };
}

export async function anIssuer(alg: SigningAlgorithm = 'ES256'): Promise<Issuer> {
  const key = await newSigningKey(alg, LONG_AGO);
  const ring = await importedRingFrom(ringText([key]));
  const published = JSON.stringify(publicKeysOf([key], START));
  return {
    key,
    sign: signerWith(() => Promise.resolve(ring)),
    verify: verifierWith(localKeySetFrom(published), TERMS),
    forge: forgerWith(key),
    signSegments: signSegments(key),
    header: { alg, typ: 'at+jwt', kid: key.kid },
  };
}

/** The claims of a good access token, made at {@link START}. */
export const goodClaims = {
  iss: TERMS.issuer,
  aud: TERMS.audience,
  sub: aUser().id,
  client_id: TERMS.clientId,
  iat: START,
  exp: after(START, TERMS.lifetime),
  jti: 'a-token',
  sid: aSession().sessionId,
  token_type: 'access',
  user_id: aUser().id,
} as const;

/** A refresh secret that signs from long ago on. */
export const aSecret = (times: Partial<SharedSecret> = {}): SharedSecret => ({
  ...newSharedSecret(LONG_AGO),
  ...times,
});

/** What makes and reads refresh tokens with a ring of secrets, the way the functions do. */
export async function refreshTokensOf(
  ...ring: SharedSecret[]
): Promise<{ make: MakeRefreshToken; read: ReadRefreshToken }> {
  const imported = await importedSecretsFrom(ringText(ring));
  return {
    make: refreshTokensWith(() => Promise.resolve(imported)),
    read: refreshReaderWith(() => Promise.resolve(imported)),
  };
}
