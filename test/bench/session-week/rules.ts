import type { SessionId, UserId } from '../../../functions/shared/domain/ids.ts';
import { Refusal } from '../../../functions/shared/domain/refusal.ts';
import { renewal } from '../../../functions/shared/domain/renewal.ts';
import { newSession, type Session } from '../../../functions/shared/domain/session.ts';
import { SETTINGS } from '../../../functions/shared/domain/settings.ts';
import { unixSeconds } from '../../../functions/shared/domain/time.ts';
import { client, counter } from '../../support/builders.ts';

/** A session under some rule of rotation. Its tokens are counted from 0, which the login gives. */
export interface Judge {
  /** @returns the counter of the token that answers, or undefined where the presented one is refused */
  present(presented: number, by: string, now: number): number | undefined;
  readonly ended: boolean;
  /** The stored session, of the rule that is ours. */
  readonly session?: Session;
}

export interface Rule {
  readonly name: string;
  begin(now: number): Judge;
}

const LIFETIMES = { idle: SETTINGS.sessionIdleLifetime.default, absolute: SETTINGS.sessionLifetime.default };

/** The rule itself, from where the functions have it. */
export const thisRule: Rule = {
  name: 'this rule',
  begin(start) {
    const user = { id: 'user' as UserId, epoch: 0 };
    const seen = { client: client('login'), device: { address: '', userAgent: '' } };
    let session = newSession(user, 'session' as SessionId, seen, LIFETIMES, unixSeconds(start));
    return {
      present(presented, by, time) {
        const now = unixSeconds(time);
        try {
          const question = { counter: counter(presented), client: client(by), now, idle: LIFETIMES.idle };
          const verdict = renewal(session, question);
          if (verdict.kind !== 'same-again') session = { ...session, ...verdict.change };
          return session.current;
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          if (error.reason === 'token-reused') session = { ...session, revokedAt: now };
          return undefined;
        }
      },
      get ended() {
        return session.revokedAt !== undefined;
      },
      get session() {
        return session;
      },
    };
  },
};

/**
 * Rotation as RFC 9700 section 4.14.2 has it: a token that was used before ends the session. With a grace window, as
 * many products have one, a used token gives the newest one again for so many seconds after its first use.
 *
 * @param grace seconds; 0 is strict
 */
export const rotationWithGrace = (grace: number): Rule => ({
  name: grace === 0 ? 'strict' : `${grace} s of grace`,
  begin() {
    const usedAt: number[] = [];
    let ended = false;
    return {
      present(presented, _, now) {
        if (ended) return undefined;
        const first = usedAt[presented];
        if (first === undefined) {
          usedAt.push(now);
          return presented + 1;
        }
        if (now - first < grace) return usedAt.length;
        ended = true;
        return undefined;
      },
      get ended() {
        return ended;
      },
    };
  },
});

export const RULES: readonly Rule[] = [thisRule, ...[0, 10, 60].map(rotationWithGrace)];
