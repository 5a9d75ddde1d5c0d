/** What operators see and end of a user's sessions. */
import { isSessionId } from '../../functions/shared/domain/ids.ts';
import { endOf, isAlive, issuedAt, type Session } from '../../functions/shared/domain/session.ts';
import { isoTime } from '../../functions/shared/domain/time.ts';
import type { User } from '../../functions/shared/domain/user.ts';
import { now } from '../../functions/shared/runtime/clock.ts';
import { readSettings } from '../../functions/shared/runtime/env.ts';
import { epochRaiser } from '../../functions/shared/store/epochs.ts';
import { sessionLister } from '../../functions/shared/store/session-list.ts';
import { sessionFinder, sessionRevoker } from '../../functions/shared/store/sessions.ts';
import { Complaint } from '../local/complaint.ts';
import { neededAccount, withStore } from './accounts.ts';
import type { StackAccess } from './stack-access.ts';

/** How many sessions are read at a time. */
const PAGE = 100;

/** A session as operators see it. */
export const sessionSummary = (session: Session) => ({
  id: session.sessionId,
  createdAt: isoTime(session.createdAt),
  lastUsedAt: isoTime(issuedAt(session)),
  expiresAt: isoTime(endOf(session)),
  address: session.device.address,
  userAgent: session.device.userAgent,
});

/** The living sessions of a user, newest login first. @throws {Complaint} where there is no such user */
export const listSessions = (stack: StackAccess, username: string): Promise<readonly Session[]> =>
  withStore(stack, async (client) => {
    const { user } = await neededAccount(client, stack, username);
    const list = sessionLister(client, stack.sessionsTable);
    const alive: Session[] = [];
    for (let page = await list(user.id, PAGE); ; page = await list(user.id, PAGE, page.next)) {
      alive.push(...page.sessions.filter((session) => isAlive(session, user.epoch, now())));
      if (page.next === undefined) return user.status === 'active' ? alive : [];
    }
  });

/** Ends one session of a user. @throws {Complaint} where the user has no such session that is alive */
export const revokeSession = (stack: StackAccess, username: string, id: string): Promise<User> =>
  withStore(stack, async (client) => {
    const { user } = await neededAccount(client, stack, username);
    const found = isSessionId(id) ? await sessionFinder(client, stack.sessionsTable)(user.id, id) : undefined;
    const { endedSessionsKept } = readSettings('endedSessionsKept');
    const ended =
      found !== undefined &&
      isAlive(found, user.epoch, now()) &&
      (await sessionRevoker(client, stack.sessionsTable, endedSessionsKept)(found, now()));
    if (!ended) throw new Complaint(`${user.username} has no such session that is alive.`);
    return user;
  });

/** Ends every session of a user at once. @throws {Complaint} where there is no such user */
export const revokeAllSessions = (stack: StackAccess, username: string): Promise<User> =>
  withStore(stack, async (client) => {
    const { user } = await neededAccount(client, stack, username);
    await epochRaiser(client, stack.usersTable)(user.id);
    return user;
  });
