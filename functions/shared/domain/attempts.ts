import { after, type Seconds, type UnixSeconds } from './time.ts';

/** So many wrong passwords in a row are free; the next one has to wait. */
export const FREE_ATTEMPTS = 5;

/** No wait is longer. */
export const LONGEST_WAIT_SECONDS: Seconds = 900;

/** A counter that nobody raised for this long is garbage. */
export const ATTEMPTS_KEPT_SECONDS: Seconds = 86_400;

/**
 * How long after the last counted attempt the next one may come: one second after the free ones, doubling with each.
 *
 * @param failures how many were counted since the last success
 */
export const waitAfter = (failures: number): Seconds =>
  failures < FREE_ATTEMPTS ? 0 : Math.min(2 ** (failures - FREE_ATTEMPTS), LONGEST_WAIT_SECONDS);

/** The attempts on a name since the last success. */
export interface Attempts {
  readonly failures: number;
  readonly countedAt: UnixSeconds;
}

/** How long the next attempt still has to wait: at least a second, as it was refused a moment ago. */
export const waitLeft = ({ failures, countedAt }: Attempts, now: UnixSeconds): Seconds =>
  Math.max(1, Math.min(after(countedAt, waitAfter(failures)) - now, LONGEST_WAIT_SECONDS));

/** The numbers of failures whose wait is neither nothing nor the longest, with that wait. */
export const WAITS: readonly { readonly failures: number; readonly wait: Seconds }[] = Array.from(
  { length: Math.ceil(Math.log2(LONGEST_WAIT_SECONDS)) },
  (_, doubled) => ({ failures: FREE_ATTEMPTS + doubled, wait: waitAfter(FREE_ATTEMPTS + doubled) }),
);
