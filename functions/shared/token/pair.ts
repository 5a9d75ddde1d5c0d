import type { Session } from '../domain/session.ts';
import type { UnixSeconds } from '../domain/time.ts';
import type { User } from '../domain/user.ts';
import { claimsFor, type TokenTerms } from './claims.ts';
import type { MakeRefreshToken } from './refresh-token.ts';
import type { SignAccessToken } from './sign.ts';

/** What a login and a refresh answer, under the names that clients of Simple JWT know. */
export interface TokenPair {
  readonly access: string;
  readonly refresh: string;
}

/** Makes an access token for a session, and that session's newest refresh token. */
export type MakePair = (user: User, session: Session, now: UnixSeconds) => Promise<TokenPair>;

/** @param newTokenId gives each access token its `jti` */
export const pairsWith =
  (
    sign: SignAccessToken,
    refreshToken: MakeRefreshToken,
    terms: TokenTerms & { readonly clientId: string },
    newTokenId: () => string,
  ): MakePair =>
  async (user, session, now) => {
    const [access, refresh] = await Promise.all([
      sign(claimsFor(user, session, terms, newTokenId(), now), now),
      refreshToken(session, now),
    ]);
    return { access, refresh };
  };
