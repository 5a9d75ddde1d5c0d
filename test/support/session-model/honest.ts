/**
 * The schedules in which the rule takes an honest device for a thief, or refuses it by mistake. Each is named here, as
 * narrowly as it can be; any other way to lose a session is a defect.
 */
import { SHORTLY, type Line, type Verdict } from './reference.ts';

export type Loss =
  // These four need two requests of one device in flight at once: several tabs, or a client that asked again because it
  // had waited long enough. The second one was sent before the answer to the first had arrived. What the first brings home is dead before the device can use it, or
  // what the second was sent with is dead before it gets there.
  /** Half a minute or more lies between them: the network, or a device that fell asleep, held one of them back. */
  | 'overtaken'
  /**
   * An answer was lost; half a minute later or more, tabs in different networks ask again with the same old token, so
   * that each gets a successor of its own, and the second one's kills the first one's.
   */
  | 'apart'
  /** An answer was lost; the two ask again half a minute later, one in its last seconds and one just after it. */
  | 'straddled'
  /** The clock stepped back by about half a minute between the two, or two functions' clocks differ by as much. */
  | 'clocks'
  /** Log out everywhere else: the request saw the user before it and the session after it, or the reverse. */
  | 'half-seen'
  /** Time passed within a function, more than its limit allows. */
  | 'stalled';

/** A refresh as it looks afterwards. */
export interface Past {
  /** All requests with tokens of its session. */
  readonly session: { readonly flights: readonly Past[] };
  readonly serial: number;
  readonly by: string;
  /** Moments, not times: when its token was read, when it was judged last, and when the answer arrived. */
  readonly readAt: number;
  readonly judgedAt: number | undefined;
  readonly arrivedAt: number | undefined;
  /** What its function's clock said when it came in. */
  readonly now: number;
  /** Seconds from the beginning to then, whatever clocks say. */
  readonly enteredAfter: number;
  /** The session as it was judged last, and what that came to. */
  readonly saw: Line | undefined;
  readonly verdict: Verdict | undefined;
  /** What it did to the session, if anything. */
  readonly change: { readonly before: Line; readonly after: Line } | undefined;
  /** Whether it took user and session for contradicting each other, which at this moment they do not. */
  readonly sawHalf: boolean;
  /** Time passed between its reading the clock and its last call of the store, more than a function has. */
  readonly stalled: boolean;
}

/** Within this time a function answers or is stopped; the clock that it read when it began is that old at most. */
export const FUNCTION_SECONDS = 3;

/** Why an honest device alone was refused. */
export function lossOf(refused: Past): Loss | undefined {
  if (refused.sawHalf) return 'half-seen';
  const { session, serial } = refused;
  const killer = session.flights.find(
    ({ change }) => change !== undefined && alive(change.before, serial) && !alive(change.after, serial),
  );
  if (killer === undefined) return undefined;

  for (const first of session.flights) {
    const { arrivedAt, judgedAt, verdict } = first;
    if (arrivedAt === undefined || verdict === undefined || !('mint' in verdict)) continue;
    const second = verdict.mint.serial === serial ? killer : refused;
    if (judgedAt! >= killer.judgedAt! || second.readAt > arrivedAt) continue;
    if (killer.enteredAfter - first.enteredAfter >= SHORTLY - FUNCTION_SECONDS) return 'overtaken';
    if (killer.now - first.now >= SHORTLY - FUNCTION_SECONDS) return 'clocks';
    if (forksApart(killer)) return 'apart';
    if (crosses(first, killer)) return 'straddled';
  }
  return session.flights.some(({ stalled }) => stalled) ? 'stalled' : undefined;
}

const alive = (line: Line, serial: number): boolean =>
  line.used?.serial === serial || line.live.some((mint) => mint.serial === serial);

/** Whether it killed what had just been made for another network. */
const forksApart = ({ serial, by, now, change }: Past): boolean =>
  change?.before.used?.serial === serial &&
  change.before.made !== undefined &&
  change.before.made.by !== by &&
  now - change.before.made.at < SHORTLY;

/** Whether a change was recent for the first and not for the second. */
const crosses = (first: Past, second: Past): boolean =>
  [first.saw?.made?.at, first.saw?.used?.at].some(
    (at) => at !== undefined && first.now - at < SHORTLY && second.now - at >= SHORTLY,
  );
