import { Outage, Refusal } from '../shared/domain/refusal.ts';
import { living, renewal, vouchedFor, type Presented } from '../shared/domain/renewal.ts';
import type { ClientPrint, Session } from '../shared/domain/session.ts';
import type { Clock, Seconds } from '../shared/domain/time.ts';
import type { ChangeSession, RevokeSession, RotateUnread } from '../shared/store/sessions.ts';
import type { Conditional } from '../shared/store/client.ts';
import type { FindUser } from '../shared/store/users.ts';
import type { MakePair, TokenPair } from '../shared/token/pair.ts';
import type { ReadRefreshToken, RefreshClaims } from '../shared/token/refresh-token.ts';

export interface RefreshNeeds {
  now: Clock;
  readToken: ReadRefreshToken;
  findUser: FindUser;
  rotateUnread: RotateUnread;
  changeSession: ChangeSession;
  revokeSession: RevokeSession;
  pair: MakePair;
  /** How long the session then lives unless it is refreshed again. */
  idle: Seconds;
  /** Notes what an operator must be able to find: a fork, an adoption, a theft. */
  note(event: 'fork' | 'adopt' | 'theft', token: RefreshClaims): void;
}

/** A refresh that lost this many races is one of very many at once. */
const JUDGEMENTS = 3;

/**
 * Exchanges a refresh token for a new pair; the presented token stops working unless the answer gets lost (RFC 9700
 * section 4.14.2). One round trip where nothing is unusual.
 *
 * @throws {Refusal} what {@link ReadRefreshToken} gives, or {@link renewal}, or {@link vouchedFor}
 */
export async function refresh(token: string, client: ClientPrint, needs: RefreshNeeds): Promise<TokenPair> {
  const now = needs.now();
  const claims = await needs.readToken(token, now);
  const presented: Presented = { counter: claims.counter, client, now, idle: needs.idle };
  const name = { userId: claims.sub, sessionId: claims.sid };
  const [written, user] = await Promise.all([needs.rotateUnread(name, presented), needs.findUser(claims.sub)]);

  let outcome: Conditional<Session> = written;
  for (let judgement = 1; !outcome.done; judgement += 1) {
    if (judgement > JUDGEMENTS) throw new Outage('a session under contention');
    outcome = await judged(outcome.found, presented, claims, needs, (found) => vouchedFor(found, user));
  }
  // No token leaves before the user was judged too, also where the write went through at once.
  return needs.pair(vouchedFor(outcome.item, user), outcome.item, now);
}

async function judged(
  found: Session | undefined,
  presented: Presented,
  claims: RefreshClaims,
  needs: RefreshNeeds,
  vouch: (session: Session) => unknown,
): Promise<Conditional<Session>> {
  const session = living(found, presented.now);
  vouch(session);
  try {
    const verdict = renewal(session, presented);
    if (verdict.kind === 'same-again') return { done: true, item: session };
    const outcome = await needs.changeSession(session, verdict.change);
    if (outcome.done && verdict.kind !== 'rotate') needs.note(verdict.kind, claims);
    return outcome;
  } catch (error) {
    if (error instanceof Refusal && error.reason === 'token-reused') {
      await needs.revokeSession(session, presented.now);
      needs.note('theft', claims);
    }
    throw error;
  }
}
