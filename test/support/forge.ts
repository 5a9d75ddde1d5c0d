import { createHmac, createPrivateKey, sign } from 'node:crypto';
import type { KeptKey, SharedSecret } from '../../functions/shared/token/key-ring.ts';

/** Signs anything as a compact JWS, also what no library would: a text as it is, any other value as JSON. */
export type Forge = (header: unknown, payload: unknown) => string;

/** A part of a token: base64url of a text as it is, of bytes, or of a value as JSON. */
export const segment = (value: unknown): string => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64url');
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
};

/** Puts a signature under two segments that may be any text. */
export type SignSegments = (header: string, payload: string) => string;

/** Signs segments with a private key, so that only what they say can be wrong with them. */
export const signSegments =
  ({ alg, privateJwk }: KeptKey): SignSegments =>
  (header, payload) => {
    const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' });
    const signature = sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(`${header}.${payload}`), {
      key,
      dsaEncoding: 'ieee-p1363',
    });
    return `${header}.${payload}.${signature.toString('base64url')}`;
  };

/** Signs segments as HS256. */
export const macSegments =
  (secret: Uint8Array): SignSegments =>
  (header, payload) =>
    `${header}.${payload}.${createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')}`;

const forgeWith =
  (signed: SignSegments): Forge =>
  (header, payload) =>
    signed(segment(header), segment(payload));

/** Signs with a key of ours. */
export const forgerWith = (key: KeptKey): Forge => forgeWith(signSegments(key));

/** Signs with a secret of ours. */
export const macForgerWith = ({ secret }: Pick<SharedSecret, 'secret'>): Forge => forgeWith(macSegments(secret));

/** The payload of a token, unchecked. */
export const payloadOf = (token: string): unknown => partOf(token, 1);

/** The header of a token, unchecked. */
export const headerPartOf = (token: string): unknown => partOf(token, 0);

const partOf = (token: string, at: number): unknown =>
  JSON.parse(Buffer.from(token.split('.')[at] ?? '', 'base64url').toString('utf8'));
