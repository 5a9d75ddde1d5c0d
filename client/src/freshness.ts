/** `fresh`: use it. `stale`: use it, and get the next one meanwhile. `expired`: get the next one first. */
export type Freshness = 'fresh' | 'stale' | 'expired';

/** A token is renewed this long before its end, or in the last quarter of a life under four minutes. */
const EARLY_MS = 60_000;
/** This long before its end a token is not sent any more: it would end on the way. A tenth, where that is less. */
const TRAVEL_MS = 5_000;

/** How a token of some age stands. @param age in milliseconds, as is `lifetime` */
export function freshness(age: number, lifetime: number): Freshness {
  const left = lifetime - age;
  if (left <= Math.min(TRAVEL_MS, lifetime / 10)) return 'expired';
  return left <= Math.min(EARLY_MS, lifetime / 4) ? 'stale' : 'fresh';
}

/**
 * Tells the age of what arrived at a time, maybe in an earlier run or in another tab: what the faster of two clocks says.
 * One can be set back, the other stands still on some machines while they sleep. Too high an age costs one refresh, too low
 * a one is caught by the server's 401.
 *
 * @param time in milliseconds since 1970. One in the future tells that the clock was set back: the age is unknown, so high
 */
export function ageSince(time: number): () => number {
  const passed = Date.now() - time;
  const tick = passed < 0 ? -Infinity : performance.now() - passed;
  return () => Math.max(performance.now() - tick, Date.now() - time);
}
