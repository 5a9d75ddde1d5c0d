import type { Note } from '../shared/domain/events.ts';
import { Outage, Refusal } from '../shared/domain/refusal.ts';
import { living, renewal, vouchedFor, type Presented, type Renewal } from '../shared/domain/renewal.ts';
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
  note: Note;
}

/** A refresh that lost this many races for a change is one of very many at once. */
const CHANGES = 3;

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
  const [written, user] = await Promise.all([
    needs.rotateUnread(nameOf(claims), presented),
    needs.findUser(claims.sub),
  ]);

  let outcome: Judged = { ...written, kind: 'rotate' };
  for (let lost = 0; !outcome.done; lost += 1) {
    const session = living(outcome.found, now);
    vouchedFor(session, user);
    outcome = await judged(session, presented, claims, needs, lost < CHANGES);
  }
  // No token leaves before the user was judged too, also where the write went through at once.
  const pair = await needs.pair(vouchedFor(outcome.item, user), outcome.item, now);
  needs.note('refresh', { ...nameOf(claims), reason: outcome.kind });
  return pair;
}

type Judged = Conditional<Session> & { readonly kind: Renewal['kind'] };

const nameOf = ({ sub, sid }: RefreshClaims) => ({ userId: sub, sessionId: sid });

async function judged(
  session: Session,
  presented: Presented,
  claims: RefreshClaims,
  needs: RefreshNeeds,
  mayChange: boolean,
): Promise<Judged> {
  try {
    const verdict = renewal(session, presented);
    const { kind } = verdict;
    if (kind === 'same-again') return { done: true, item: session, kind };
    // Judged all the same: what stands may be this refresh's own change, whose answer got lost, or a theft.
    if (!mayChange) throw new Outage('a session under contention');
    const outcome = await needs.changeSession(session, verdict.change);
    if (outcome.done && kind !== 'rotate') needs.note(kind, nameOf(claims));
    return { ...outcome, kind };
  } catch (error) {
    if (error instanceof Refusal && error.reason === 'token-reused') {
      await needs.revokeSession(session, presented.now);
      needs.note('theft', { ...nameOf(claims), reason: error.reason });
    }
    throw error;
  }
}
