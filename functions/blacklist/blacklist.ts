import type { Note } from '../shared/domain/events.ts';
import type { Clock } from '../shared/domain/time.ts';
import type { RevokeSession } from '../shared/store/sessions.ts';
import type { ReadRefreshToken } from '../shared/token/refresh-token.ts';

export interface BlacklistNeeds {
  now: Clock;
  readToken: ReadRefreshToken;
  revokeSession: RevokeSession;
  note: Note;
}

/**
 * Logs a session out with any refresh token it ever had; nothing more to do where it is out already.
 *
 * @throws {Refusal} what {@link ReadRefreshToken} gives
 */
export async function blacklist(token: string, { now, readToken, revokeSession, note }: BlacklistNeeds): Promise<void> {
  const time = now();
  const { sub, sid } = await readToken(token, time);
  const session = { userId: sub, sessionId: sid };
  if (await revokeSession(session, time)) note('logout', session);
}
