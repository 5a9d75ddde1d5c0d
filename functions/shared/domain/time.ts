/** Whole seconds since 1970-01-01T00:00Z, the only time we store or sign. `Date.now()` does not fit this type. */
export type UnixSeconds = number & { readonly unit: 'unix-seconds' };

/** A length of time in whole seconds. */
export type Seconds = number;

/** Tells the time. Handlers pass the real one (`runtime/clock.ts`), tests one they can set. */
export type Clock = () => UnixSeconds;

/** Marks a whole number of seconds as a time; fractions are cut off. */
export const unixSeconds = (value: number): UnixSeconds => Math.trunc(value) as UnixSeconds;

/** The time `seconds` after `time`; before it where `seconds` is negative. */
export const after = (time: UnixSeconds, seconds: Seconds): UnixSeconds => unixSeconds(time + seconds);

/** The earlier of two times. */
export const earlier = (one: UnixSeconds, other: UnixSeconds): UnixSeconds => (one < other ? one : other);

/** A time as the API writes it: ISO 8601 in UTC, to the second. */
export const isoTime = (time: UnixSeconds): string => new Date(time * 1000).toISOString().replace('.000Z', 'Z');
