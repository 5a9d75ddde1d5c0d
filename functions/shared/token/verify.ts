import { compactVerify, errors, type CompactVerifyGetKey } from 'jose';
import { Refusal } from '../domain/refusal.ts';
import { SIGNING_ALGORITHMS } from '../domain/settings.ts';
import type { UnixSeconds } from '../domain/time.ts';
import { membersOfBytes, type Members } from '../domain/unknown.ts';
import { ACCESS_TYP, asForged, claimsFrom, type AccessClaims, type TokenTerms } from './claims.ts';
import { headerOf } from './compact.ts';

/** Checks an access token and gives its claims. */
export type VerifyAccessToken = (token: string, now: UnixSeconds) => Promise<AccessClaims>;

/** Looks up the key that a token's header names: a key set of `jose`. */
export type FindKey = CompactVerifyGetKey;

/**
 * A verifier of access tokens (RFC 9068 section 4) with the key set that `findKey` looks keys up in.
 *
 * @param findKey what it throws beyond `jose`'s "no such key" goes to the caller
 * @param terms who must have issued the token, for whom, and its longest lifetime in seconds
 * @returns a function that refuses with `token-malformed`, `token-wrong-type`, `token-forged` or `token-expired`
 */
export const verifierWith =
  (findKey: FindKey, terms: TokenTerms): VerifyAccessToken =>
  async (token, now) => {
    if (headerOf(token).typ !== ACCESS_TYP) throw new Refusal('token-wrong-type');
    return claimsFrom(await signedPayload(token, findKey, SIGNING_ALGORITHMS), terms, now);
  };

/**
 * The payload of a token whose signature holds. `jose`'s own check of claims is left out: every claim is checked by type
 * and range where it is read, more strictly than that.
 *
 * @throws {Refusal} `token-forged`
 */
export async function signedPayload(token: string, findKey: FindKey, algorithms: readonly string[]): Promise<Members> {
  try {
    const { payload } = await compactVerify(token, findKey, { algorithms: [...algorithms] });
    return asForged(() => membersOfBytes(payload));
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new Refusal('token-forged');
    throw error;
  }
}
