import type { SessionId, UserId } from './ids.ts';
import { Refusal } from './refusal.ts';
import { living, vouchedFor } from './renewal.ts';
import type { Session } from './session.ts';
import type { Clock } from './time.ts';
import type { User } from './user.ts';

/** Who an access token speaks for. */
export interface Caller {
  readonly userId: UserId;
  readonly sessionId: SessionId;
}

export interface StandingNeeds {
  now: Clock;
  findSession: (userId: UserId, sessionId: SessionId) => Promise<Session | undefined>;
  findUser: (id: UserId) => Promise<User | undefined>;
}

/**
 * The user and the session behind a caller at this moment, read in parallel. A good token alone does not say that they
 * still stand: it lives on for minutes after its session was ended.
 *
 * @throws {Refusal} `bearer-refused` where the session has ended or the user is gone or disabled
 */
export async function standing(
  { userId, sessionId }: Caller,
  { now, findSession, findUser }: StandingNeeds,
): Promise<{ readonly user: User; readonly session: Session }> {
  const [found, user] = await Promise.all([findSession(userId, sessionId), findUser(userId)]);
  try {
    const session = living(found, now());
    return { session, user: vouchedFor(session, user) };
  } catch (error) {
    throw error instanceof Refusal ? new Refusal('bearer-refused') : error;
  }
}
