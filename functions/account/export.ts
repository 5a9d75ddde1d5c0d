import { profileOf, type Profile } from '../shared/domain/profile.ts';
import { endOf, isAlive, issuedAt, type Session } from '../shared/domain/session.ts';
import type { SessionId } from '../shared/domain/ids.ts';
import { standing, type Caller, type StandingNeeds } from '../shared/domain/standing.ts';
import { isoTime } from '../shared/domain/time.ts';
import type { ListSessions } from '../shared/store/session-list.ts';

export interface ExportNeeds extends StandingNeeds {
  listSessions: ListSessions;
}

/** A session as it is kept, ended ones that nobody has collected yet among them. */
export interface ExportedSession {
  readonly id: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
  /** Whether it can still be used. */
  readonly active: boolean;
  /** When it was ended by itself; null where time ends it, or the end of all sessions did. */
  readonly ended_at: string | null;
  readonly address: string;
  readonly user_agent: string;
}

/** Everything that is kept of a user, but for what would open the account. */
export interface Exported {
  readonly exported_at: string;
  readonly profile: Profile;
  readonly sessions: readonly ExportedSession[];
}

/** How many sessions are read at a time. */
const PAGE = 100;

/** The caller's data, to take along. @throws {Refusal} `bearer-refused` */
export async function exportAccount(caller: Caller, needs: ExportNeeds): Promise<Exported> {
  const [{ user }, sessions] = await Promise.all([standing(caller, needs), allSessions(caller, needs)]);
  const now = needs.now();
  return {
    exported_at: isoTime(now),
    profile: profileOf(user),
    sessions: sessions.map((session) => exported(session, isAlive(session, user.epoch, now))),
  };
}

async function allSessions({ userId }: Caller, needs: ExportNeeds): Promise<readonly Session[]> {
  const sessions: Session[] = [];
  let before: SessionId | undefined;
  do {
    const page = await needs.listSessions(userId, PAGE, before);
    sessions.push(...page.sessions);
    before = page.next;
  } while (before !== undefined);
  return sessions;
}

const exported = (session: Session, active: boolean): ExportedSession => ({
  id: session.sessionId,
  created_at: isoTime(session.createdAt),
  last_used_at: isoTime(issuedAt(session)),
  expires_at: isoTime(endOf(session)),
  active,
  ended_at: session.revokedAt === undefined ? null : isoTime(session.revokedAt),
  address: session.device.address,
  user_agent: session.device.userAgent,
});
