import type { Held } from './held.ts';

/** Whether somebody is logged in here. The same object until that changes. */
export type Session =
  /** Storage was not read yet, or could not be; in cookie mode: the server was not asked yet, or did not answer. */
  | { readonly status: 'unknown' }
  | { readonly status: 'in'; readonly userId: string | undefined; readonly sessionId: string | undefined }
  /** `logout` was called here, the session was ended `elsewhere` (another tab), or the server `refused` it. */
  | { readonly status: 'out'; readonly reason: 'none' | 'logout' | 'elsewhere' | 'refused' };

export type LoggedOut = Extract<Session, { status: 'out' }>['reason'];

/** Who is logged in at this moment. */
export interface Current {
  session: Session;
  /** The tokens in use. */
  held: Held | undefined;
  /** Counts the sessions that began or ended: what was asked for one is nothing to the next. */
  era: number;
  /** Aborts when a refresh that is under way is not wanted any more. */
  hurry: AbortController;
  readonly listeners: Set<(session: Session) => void>;
  /** What was asked for before does not count any more. @returns the era that begins */
  turnEra(): number;
  /** The one place where a session begins or ends. @param reason why it ended, where it did */
  turnTo(next: Held | undefined, reason: LoggedOut): void;
}

export function nobody(): Current {
  const current: Current = {
    session: { status: 'unknown' },
    held: undefined,
    era: 0,
    hurry: new AbortController(),
    listeners: new Set(),
    turnEra() {
      giveWay(current);
      return (current.era += 1);
    },
    turnTo(next, reason) {
      const { held, session, listeners } = current;
      current.held = next;
      if (next ? held && next.sessionId === held.sessionId : session.status === 'out') return;
      current.turnEra();
      const shown: Session = next
        ? { status: 'in', userId: next.userId, sessionId: next.sessionId }
        : { status: 'out', reason };
      current.session = shown;
      // Later, and each by itself: a listener that throws harms nobody else.
      for (const listener of listeners) queueMicrotask(() => listener(current.session));
    },
  };
  return current;
}

/** Gives up a refresh that is under way. */
export function giveWay(current: Current): void {
  current.hurry.abort();
  current.hurry = new AbortController();
}
