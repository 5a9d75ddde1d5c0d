import { createPublicKey } from 'node:crypto';
import type { UnixSeconds } from '../../functions/shared/domain/time.ts';
import { after } from '../../functions/shared/domain/time.ts';
import { claimsFor } from '../../functions/shared/token/claims.ts';
import { newSigningKey, ringText } from '../../functions/shared/token/new-keys.ts';
import { importedRingFrom, signerWith } from '../../functions/shared/token/sign.ts';
import { aSession, aUser } from '../support/builders.ts';
import { forgerWith, headerPartOf, macForgerWith, payloadOf, segment } from '../support/forge.ts';
import type { PublishedIssuer } from '../support/issuer-server.ts';
import { aSecret, refreshTokensOf } from '../support/tokens.ts';

export const AUDIENCE = 'api';
const LIFETIME_SECONDS = 900;

/** What our signer makes, and what others might make of it. */
export interface Tokens {
  readonly good: string;
  readonly refresh: string;
  /** By what is wrong with them. */
  readonly bad: Readonly<Record<string, string>>;
}

/** Tokens of an issuer with one key, from the functions that make them for login and refresh. */
export async function tokensOf({ url, keys: [key] }: PublishedIssuer, now: UnixSeconds): Promise<Tokens> {
  if (key === undefined) throw new Error('an issuer without a key');
  const session = aSession({ createdAt: now, expiresAt: after(now, 3_600), maxExpiresAt: after(now, 3_600) });
  const ring = await importedRingFrom(ringText([key]));
  const sign = signerWith(() => Promise.resolve(ring));
  const madeAt = (time: UnixSeconds, changes: { issuer?: string; audience?: string } = {}) => {
    const terms = { issuer: url, audience: AUDIENCE, clientId: 'app', lifetime: LIFETIME_SECONDS, ...changes };
    return sign(claimsFor(aUser({ roles: ['staff'] }), session, terms, 'a-token', time), time);
  };

  const good = await madeAt(now);
  const [header = '', payload = '', signature = ''] = good.split('.');
  const headerMembers = Object(headerPartOf(good)) as object;
  const claims = Object(payloadOf(good)) as object;
  const flipped = Buffer.from(signature, 'base64url');
  flipped.writeUInt8(flipped.readUInt8(40) ^ 1, 40);
  const stranger = await newSigningKey(key.alg, { publishedAt: now, signsFrom: now });
  const pem = createPublicKey({ key: { ...key.privateJwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const macWith = (secret: string) =>
    macForgerWith({ secret: Buffer.from(secret) })({ ...headerMembers, alg: 'HS256' }, claims);
  const { make } = await refreshTokensOf(aSecret());

  return {
    good,
    refresh: await make(session, now),
    bad: {
      'another subject': [header, segment({ ...claims, sub: 'somebody else' }), signature].join('.'),
      'more roles': [header, segment({ ...claims, roles: ['admin'] }), signature].join('.'),
      'a later end': [header, segment({ ...claims, exp: after(now, 86_400) }), signature].join('.'),
      'half a signature': [header, payload, signature.slice(0, signature.length / 2)].join('.'),
      'an empty signature': [header, payload, ''].join('.'),
      'no signature at all': [header, payload].join('.'),
      'one bit of the signature changed': [header, payload, flipped.toString('base64url')].join('.'),
      'the signature of another key': forgerWith(stranger)(headerMembers, claims),
      'a kid that nobody published': forgerWith(stranger)({ ...headerMembers, kid: stranger.kid }, claims),
      'alg none': [segment({ ...headerMembers, alg: 'none' }), payload, ''].join('.'),
      'alg none and a signature': [segment({ ...headerMembers, alg: 'none' }), payload, signature].join('.'),
      'HS256 with the public key as its secret': macWith(String(pem)),
      'HS256 with the published JWK as its secret': macWith(JSON.stringify({ ...key.privateJwk, d: undefined })),
      'another issuer': await madeAt(now, { issuer: `${url}/other` }),
      'another audience': await madeAt(now, { audience: 'another-api' }),
      'an end in the past': await madeAt(after(now, -LIFETIME_SECONDS - 60)),
    },
  };
}
