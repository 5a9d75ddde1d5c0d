import { SignJWT, type CryptoKey } from 'jose';
import { isCounter, type Counter, type SessionId, type UserId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import { endOf, issuedAt, type Session } from '../domain/session.ts';
import type { UnixSeconds } from '../domain/time.ts';
import { textIn, timeIn, Unfit, wholeNumberIn, type Members } from '../domain/unknown.ts';
import { ACCESS_TYP, asForged, checkTimes, sessionIdIn, userIdIn } from './claims.ts';
import { headerOf } from './compact.ts';
import { hasEnded, keyNamed, keySigningAt, sharedSecretsFrom, type RingKey, type RingOf } from './key-ring.ts';
import { signedPayload } from './verify.ts';

/** The `typ` of our refresh tokens. No resource server takes it for an access token. */
export const REFRESH_TYP = 'rt+jwt';

const ALGORITHM = 'HS256';

/** What a refresh token says. */
export interface RefreshClaims {
  readonly sub: UserId;
  readonly sid: SessionId;
  readonly counter: Counter;
  readonly iat: UnixSeconds;
  readonly exp: UnixSeconds;
  readonly jti: string;
}

/** A refresh secret, imported once. */
export interface ImportedSecret extends RingKey {
  readonly key: CryptoKey;
}

type Ring = RingOf<ImportedSecret>;

/** Makes the newest refresh token of a session. Made twice for the same item, it is the same byte for byte. */
export type MakeRefreshToken = (session: Session, now: UnixSeconds) => Promise<string>;

/** Reads a refresh token that we signed. */
export type ReadRefreshToken = (token: string, now: UnixSeconds) => Promise<RefreshClaims>;

/** Reads the ring of refresh secrets and imports them. @throws {Unfit} where it is none */
export const importedSecretsFrom = (text: string): Promise<readonly ImportedSecret[]> =>
  Promise.all(
    sharedSecretsFrom(text).map(async ({ secret, ...rest }) => {
      const hmac = { name: 'HMAC', hash: 'SHA-256' };
      const key = await crypto.subtle.importKey('raw', Buffer.from(secret), hmac, false, ['sign', 'verify']);
      return { ...rest, key };
    }),
  );

/**
 * A maker of refresh tokens: JWTs signed by a secret that no key set publishes, so that a forged one is refused
 * without the store and the store holds no credential.
 */
export const refreshTokensWith =
  (ring: Ring): MakeRefreshToken =>
  async (session, now) => {
    const keys = (await ring()).filter((one) => !hasEnded(one, now));
    const iat = issuedAt(session);
    // The one that signed at that time, so that the token stays the same after a rotation of the secret.
    const { kid, key } = keySigningAt(keys, keys.some((one) => one.signsFrom <= iat) ? iat : now);
    const claims = {
      sub: session.userId,
      sid: session.sessionId,
      counter: session.current,
      iat,
      exp: endOf(session),
      jti: `${session.sessionId}.${session.current}`,
      token_type: 'refresh',
    };
    return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: REFRESH_TYP, kid }).sign(key);
  };

/**
 * A reader of refresh tokens. It asks no store: a forgery ends here.
 *
 * @returns a function that refuses with `token-malformed`, `token-wrong-type`, `token-forged` or, from the second
 *   of `exp` on, `token-expired`
 */
export const refreshReaderWith =
  (ring: Ring): ReadRefreshToken =>
  async (token, now) => {
    const { alg, typ, kid } = headerOf(token);
    if (typ !== REFRESH_TYP) throw new Refusal(typ === ACCESS_TYP ? 'token-wrong-type' : 'token-forged');
    // Before the ring is asked, which reads its secret again for a name that it does not know.
    if (alg !== ALGORITHM) throw new Refusal('token-forged');
    const secret = await keyNamed(kid, ring);
    if (secret === undefined || hasEnded(secret, now)) throw new Refusal('token-forged');
    const payload = await signedPayload(token, () => secret.key, [ALGORITHM]);
    const claims = asForged(() => refreshClaimsIn(payload));
    checkTimes(claims.iat, claims.exp, now);
    return claims;
  };

function refreshClaimsIn(payload: Members): RefreshClaims {
  if (textIn(payload, 'token_type') !== 'refresh') throw new Unfit('token_type is not refresh');
  const counter = wholeNumberIn(payload, 'counter');
  if (!isCounter(counter)) throw new Unfit('counter is no counter');
  return {
    sub: userIdIn(payload, 'sub'),
    sid: sessionIdIn(payload, 'sid'),
    counter,
    iat: timeIn(payload, 'iat'),
    exp: timeIn(payload, 'exp'),
    jti: textIn(payload, 'jti'),
  };
}
