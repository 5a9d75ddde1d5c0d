import { createLocalJWKSet, type JWK } from 'jose';
import type { UnixSeconds } from '../domain/time.ts';
import { listIn, membersOfJson, textIn, Unfit } from '../domain/unknown.ts';
import { hasEnded, isInKms, type SigningKey } from './key-ring.ts';

/** The members of a JWK that everybody may see (RFC 7518 section 6, RFC 8037 section 2); whatever else there is stays here. */
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;

/** A key set (RFC 7517 section 5). */
export interface KeySet {
  readonly keys: readonly JWK[];
}

/** The key set of a ring: every key that has not ended, those that do not sign yet included. */
export const publicKeysOf = (ring: readonly SigningKey[], now: UnixSeconds): KeySet => ({
  keys: ring
    .filter((key) => !hasEnded(key, now))
    .map((key) => ({
      kid: key.kid,
      alg: key.alg,
      use: 'sig',
      ...publicMembersOf(isInKms(key) ? key.publicJwk : key.privateJwk),
    })),
});

const publicMembersOf = (jwk: JWK): Partial<JWK> =>
  Object.fromEntries(PUBLIC_MEMBERS.flatMap((name) => (name in jwk ? [[name, jwk[name]]] : [])));

/** Reads a published key set. @throws {Unfit} where the text is none, or has no key */
export function keySetFrom(text: string): KeySet {
  const keys = listIn(membersOfJson(text), 'keys');
  if (keys.length === 0) throw new Unfit('a key set without keys');
  return { keys: keys.map((key) => ({ ...key, kty: textIn(key, 'kty'), kid: textIn(key, 'kid') })) };
}

/** Reads a published key set into a form that verifies. @throws {Unfit} */
export const localKeySetFrom = (text: string) => createLocalJWKSet({ keys: [...keySetFrom(text).keys] });
