import { living, renewal, vouchedFor } from '../shared/domain/renewal.ts';
import type { ClientPrint } from '../shared/domain/session.ts';
import type { Clock, Seconds } from '../shared/domain/time.ts';
import type { FindSession } from '../shared/store/sessions.ts';
import type { FindUser } from '../shared/store/users.ts';
import { headerOf } from '../shared/token/compact.ts';
import { REFRESH_TYP, type ReadRefreshToken } from '../shared/token/refresh-token.ts';
import type { VerifyAccessToken } from '../shared/token/verify.ts';

export interface VerifyNeeds {
  now: Clock;
  readRefreshToken: ReadRefreshToken;
  verifyAccessToken: VerifyAccessToken;
  findSession: FindSession;
  findUser: FindUser;
  idle: Seconds;
}

/**
 * Says whether a token of either kind is good at this moment, which its signature alone cannot. Writes nothing, so a
 * refresh token is good where a refresh with it would succeed, and a reused one ends no session here.
 *
 * @throws {Refusal} as `jose`, {@link living}, {@link vouchedFor} or {@link renewal} decide
 */
export async function verify(token: string, client: ClientPrint, needs: VerifyNeeds): Promise<void> {
  const now = needs.now();
  const isRefresh = headerOf(token).typ === REFRESH_TYP;
  const claims = isRefresh ? await needs.readRefreshToken(token, now) : await needs.verifyAccessToken(token, now);
  const [found, user] = await Promise.all([needs.findSession(claims.sub, claims.sid), needs.findUser(claims.sub)]);
  const session = living(found, now);
  vouchedFor(session, user);
  if ('counter' in claims) renewal(session, { counter: claims.counter, client, now, idle: needs.idle });
}
