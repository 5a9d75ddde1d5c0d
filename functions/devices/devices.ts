import type { Note } from '../shared/domain/events.ts';
import { isSessionId, type SessionId, type UserId } from '../shared/domain/ids.ts';
import { Outage, Refusal } from '../shared/domain/refusal.ts';
import { endOf, isAlive, issuedAt, type Session } from '../shared/domain/session.ts';
import { standing, type Caller, type StandingNeeds } from '../shared/domain/standing.ts';
import { isoTime } from '../shared/domain/time.ts';
import type { EndOthers, RaiseEpoch } from '../shared/store/epochs.ts';
import type { ListSessions } from '../shared/store/session-list.ts';
import type { RevokeSession } from '../shared/store/sessions.ts';
import { deviceName } from './device-name.ts';

export interface DevicesNeeds extends StandingNeeds {
  listSessions: ListSessions;
  revokeSession: RevokeSession;
  raiseEpoch: RaiseEpoch;
  endOthers: EndOthers;
  note: Note;
}

/** A session as its user sees it. */
export interface SessionView {
  readonly id: string;
  /** Whether it is the session that asks. */
  readonly current: boolean;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
  readonly address: string;
  readonly device: string;
}

/** Which sessions to list. */
export interface Page {
  readonly limit: number;
  readonly before?: SessionId;
}

export interface SessionList {
  readonly results: readonly SessionView[];
  readonly next?: SessionId;
}

/** How often a change that lost a race is tried. */
const TRIES = 3;

/**
 * The caller's living sessions, newest login first. A page can be shorter than its limit, as dead sessions are left out.
 *
 * @throws {Refusal} `bearer-refused`
 */
export async function listSessions(caller: Caller, page: Page, needs: DevicesNeeds): Promise<SessionList> {
  const [{ user }, found] = await Promise.all([
    standing(caller, needs),
    needs.listSessions(caller.userId, page.limit, page.before),
  ]);
  const now = needs.now();
  const alive = found.sessions.filter((session) => isAlive(session, user.epoch, now));
  return {
    results: alive.map((session) => viewOf(session, caller)),
    ...(found.next !== undefined && { next: found.next }),
  };
}

/**
 * Ends one session of the caller, this one included.
 *
 * @throws {Refusal} `bearer-refused`; `not-found` for a session that is not alive or not the caller's
 */
export async function endSession(caller: Caller, id: string, needs: DevicesNeeds): Promise<void> {
  const { user } = await standing(caller, needs);
  // Looked up among the caller's own: another user's id is as unknown as one that nobody has.
  const found = isSessionId(id) ? await needs.findSession(caller.userId, id) : undefined;
  if (found === undefined || !isAlive(found, user.epoch, needs.now())) throw new Refusal('not-found');
  const { userId, sessionId } = found;
  const isOwn = sessionId === caller.sessionId;
  if (await needs.revokeSession(found, needs.now()))
    needs.note(isOwn ? 'logout' : 'session-ended', { userId, sessionId });
}

/** Ends every session of the caller with one write, however many there are. @throws {Refusal} `bearer-refused` */
export async function endAllSessions(caller: Caller, needs: DevicesNeeds): Promise<void> {
  await standing(caller, needs);
  await needs.raiseEpoch(caller.userId);
  needs.note('logout-everywhere', caller);
}

/** Ends every session of the caller but the one that asks. @throws {Refusal} `bearer-refused` */
export async function endOtherSessions(caller: Caller, needs: DevicesNeeds): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const { user, session } = await standing(caller, needs);
    if (await needs.endOthers(user, session)) {
      needs.note('logout-everywhere', { ...caller, reason: 'except-current' });
      return;
    }
  }
  throw new Outage('sessions under contention');
}

const viewOf = (session: Session, caller: { readonly userId: UserId; readonly sessionId: SessionId }): SessionView => ({
  id: session.sessionId,
  current: session.sessionId === caller.sessionId,
  created_at: isoTime(session.createdAt),
  last_used_at: isoTime(issuedAt(session)),
  expires_at: isoTime(endOf(session)),
  address: session.device.address,
  device: deviceName(session.device.userAgent),
});
