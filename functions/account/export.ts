import { profileOf, type Profile } from '../shared/domain/profile.ts';
import { endOf, issuedAt, type Session } from '../shared/domain/session.ts';
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
  /** When it was ended by somebody; null where only time ends it, or the end of all sessions did. */
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
  return { exported_at: isoTime(needs.now()), profile: profileOf(user), sessions: sessions.map(exported) };
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

const exported = (session: Session): ExportedSession => ({
  id: session.sessionId,
  created_at: isoTime(session.createdAt),
  last_used_at: isoTime(issuedAt(session)),
  expires_at: isoTime(endOf(session)),
  ended_at: session.revokedAt === undefined ? null : isoTime(session.revokedAt),
  address: session.device.address,
  user_agent: session.device.userAgent,
});
