/**
 * The session rule once more, as plainly as it can be said and without a look at the code: a session as the line of
 * tokens that came of each other. Tokens have serial numbers only to tell them apart, and to know one of a future that
 * a restored backup forgot.
 */
import { LIFETIMES } from './driver.ts';

/** Seconds in which a second question gets the first answer. */
export const SHORTLY = 30;

/** Seconds by which the clock that made a token may be ahead of ours. */
const CLOCK_LEEWAY = 60;

/** A refresh token, made once; however often it is handed out, it must be the same text. */
export interface Mint {
  readonly serial: number;
  readonly issuedAt: number;
  readonly endsAt: number;
}

/** A session. */
export interface Line {
  readonly epoch: number;
  readonly ended: boolean;
  readonly idleEnd: number;
  readonly absoluteEnd: number;
  /** The token whose use made the live ones, and when it was first used; none before the first refresh. */
  readonly used?: { readonly serial: number; readonly at: number };
  /** What has been made of it and not been used yet, the newest last. */
  readonly live: readonly Mint[];
  /** When and by whom the newest of them was made; not known of a login. */
  readonly made?: { readonly at: number; readonly by: string };
}

export interface Account {
  readonly active: boolean;
  readonly epoch: number;
}

export interface Question {
  readonly serial: number;
  readonly by: string;
  readonly now: number;
}

export type Verdict =
  | { readonly kind: 'refused' }
  /** Somebody else holds a token of this session: it ends. */
  | { readonly kind: 'theft'; readonly after: Line }
  | { readonly kind: 'again'; readonly mint: Mint }
  | { readonly kind: 'new'; readonly mint: Mint; readonly after: Line };

export const newest = (line: Line): Mint => line.live.at(-1)!;

export function loggedIn(epoch: number, now: number): Line {
  const idleEnd = now + LIFETIMES.idle;
  const absoluteEnd = now + LIFETIMES.absolute;
  const first = { serial: 0, issuedAt: now, endsAt: Math.min(idleEnd, absoluteEnd) };
  return { epoch, ended: false, idleEnd, absoluteEnd, live: [first] };
}

/** Whether a token, by what it says itself, is in its time. */
export const inTime = ({ issuedAt, endsAt }: Pick<Mint, 'issuedAt' | 'endsAt'>, now: number): boolean =>
  issuedAt <= now + CLOCK_LEEWAY && now < endsAt;

export const vouched = (line: Line, { active, epoch }: Account): boolean => active && line.epoch === epoch;

export const lives = (line: Line, now: number): boolean => !line.ended && now < line.idleEnd && now < line.absoluteEnd;

/** What a refresh token that is in its time leads to, its user aside. */
export function judged(line: Line, { serial, by, now }: Question): Verdict {
  if (!lives(line, now)) return { kind: 'refused' };
  const shortly = line.made !== undefined && now - line.made.at < SHORTLY;
  const made = { at: now, by };

  // A live token: its use makes it the used one, and everything else that was live is dead.
  if (line.live.some((mint) => mint.serial === serial)) {
    if (shortly) return { kind: 'again', mint: newest(line) };
    return grown(line, { used: { serial, at: now }, live: [], made });
  }
  // The used token once more: an answer was lost, or is about to be given twice.
  if (line.used?.serial === serial) {
    if (shortly && by === line.made?.by) return { kind: 'again', mint: newest(line) };
    const siblingsLive = now - line.used.at < SHORTLY;
    return grown(line, { used: line.used, live: siblingsLive ? line.live : [], made });
  }
  // A token of a future that was forgotten.
  if (serial > newest(line).serial) return grown(line, { used: { serial, at: now }, live: [], made }, serial + 1);
  return { kind: 'theft', after: { ...line, ended: true } };
}

function grown(
  line: Line,
  change: Required<Pick<Line, 'used' | 'live' | 'made'>>,
  serial = newest(line).serial + 1,
): Verdict {
  const { at } = change.made;
  const idleEnd = at + LIFETIMES.idle;
  const mint = { serial, issuedAt: at, endsAt: Math.min(idleEnd, line.absoluteEnd) };
  return { kind: 'new', mint, after: { ...line, ...change, idleEnd, live: [...change.live, mint] } };
}
