import { isSessionId, isUserId, type SessionId, type UserId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import { endOf, type Session } from '../domain/session.ts';
import { after, earlier, type Seconds, type UnixSeconds } from '../domain/time.ts';
import { optional, textIn, textsIn, timeIn, Unfit, type Members } from '../domain/unknown.ts';
import type { User } from '../domain/user.ts';

/** The `typ` of our access tokens (RFC 9068 section 2.1). */
export const ACCESS_TYP = 'at+jwt';

/** A token whose `iat` is further in the future than this was not made by a clock we trust. `exp` gets no leeway. */
export const IAT_LEEWAY_SECONDS: Seconds = 60;

/** The claims of an access token (RFC 9068 section 2.2), with the two that clients of Simple JWT know. */
export interface AccessClaims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: UserId;
  readonly client_id: string;
  readonly iat: UnixSeconds;
  readonly exp: UnixSeconds;
  readonly jti: string;
  readonly sid: SessionId;
  readonly roles?: readonly string[];
  readonly scope?: string;
  readonly token_type: 'access';
  readonly user_id: UserId;
}

/** Who issues access tokens, for whom, and for how long. */
export interface TokenTerms {
  readonly issuer: string;
  readonly audience: string;
  readonly lifetime: Seconds;
}

/**
 * The claims of a new access token. It ends with its session at the latest.
 *
 * @param terms `lifetime` in seconds
 * @param jti unique to this token
 */
export const claimsFor = (
  user: User,
  session: Session,
  terms: TokenTerms & { readonly clientId: string },
  jti: string,
  now: UnixSeconds,
): AccessClaims => ({
  iss: terms.issuer,
  aud: terms.audience,
  sub: user.id,
  client_id: terms.clientId,
  iat: now,
  exp: earlier(after(now, terms.lifetime), endOf(session)),
  jti,
  sid: session.sessionId,
  ...(user.roles.length > 0 && { roles: user.roles }),
  token_type: 'access',
  user_id: user.id,
});

/**
 * Checks every claim's type and range, which `jose` does not: it takes a `sub` that is an object, `exp: 1e400`, or
 * an `iat` in the future.
 *
 * @throws {Refusal} `token-forged` where a claim is not as ours are; `token-expired` from the second of `exp` on
 */
export function claimsFrom(payload: Members, terms: TokenTerms, now: UnixSeconds): AccessClaims {
  const claims = asForged(() => accessClaimsIn(payload));
  const { iss, aud, iat, exp } = claims;
  if (iss !== terms.issuer || aud !== terms.audience) throw new Refusal('token-forged');
  if (exp <= iat || exp - iat > terms.lifetime) throw new Refusal('token-forged');
  checkTimes(iat, exp, now);
  return claims;
}

/** @throws {Refusal} `token-forged` for an `iat` beyond the leeway, `token-expired` from the second of `exp` on */
export function checkTimes(iat: UnixSeconds, exp: UnixSeconds, now: UnixSeconds): void {
  if (iat > after(now, IAT_LEEWAY_SECONDS)) throw new Refusal('token-forged');
  if (now >= exp) throw new Refusal('token-expired');
}

/** A claim that reads as one of ours, or a refusal. @throws {Refusal} `token-forged` in place of {@link Unfit} */
export function asForged<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unfit) throw new Refusal('token-forged');
    throw error;
  }
}

/** @throws {Unfit} */
export function userIdIn(payload: Members, name: string): UserId {
  const text = textIn(payload, name);
  if (!isUserId(text)) throw new Unfit(`${name} is no user id`);
  return text;
}

/** @throws {Unfit} */
export function sessionIdIn(payload: Members, name: string): SessionId {
  const text = textIn(payload, name);
  if (!isSessionId(text)) throw new Unfit(`${name} is no session id`);
  return text;
}

function accessClaimsIn(payload: Members): AccessClaims {
  const sub = userIdIn(payload, 'sub');
  if (textIn(payload, 'token_type') !== 'access') throw new Unfit('token_type is not access');
  if (textIn(payload, 'user_id') !== sub) throw new Unfit('user_id is not sub');
  const roles = optional(payload, 'roles', textsIn);
  const scope = optional(payload, 'scope', textIn);
  return {
    iss: textIn(payload, 'iss'),
    aud: textIn(payload, 'aud'),
    sub,
    client_id: textIn(payload, 'client_id'),
    iat: timeIn(payload, 'iat'),
    exp: timeIn(payload, 'exp'),
    jti: textIn(payload, 'jti'),
    sid: sessionIdIn(payload, 'sid'),
    ...(roles !== undefined && { roles }),
    ...(scope !== undefined && { scope }),
    token_type: 'access',
    user_id: sub,
  };
}
