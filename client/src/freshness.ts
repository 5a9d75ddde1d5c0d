/** Of an access token, in milliseconds. */
export interface Life {
  readonly lifetime: number;
  readonly age: () => number;
}

const endsWithin = ({ lifetime, age }: Life, milliseconds: number, part: number): boolean =>
  lifetime - age() <= Math.min(milliseconds, lifetime / part);

/** A token is renewed a minute before its end, or in the last quarter of a life under four minutes. */
export const isStale = (token: Life): boolean => endsWithin(token, 60_000, 4);

/** Five seconds before its end a token is not sent any more: it would end on the way. In its last tenth, where that is less. */
export const isExpired = (token: Life): boolean => endsWithin(token, 5_000, 10);

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
