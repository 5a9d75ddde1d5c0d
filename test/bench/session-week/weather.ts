import type { Random } from './random.ts';

/** Seconds. */
const MINUTE = 60;
const HOUR = 3_600;
export const DAY = 86_400;
export const WEEK = 7 * DAY;

/** A time with a beginning and an end, which is not part of it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a week does to a device: when somebody uses it, when it has no network, and which address it has. */
export interface Weather {
  readonly uses: readonly Span[];
  readonly offline: readonly Span[];
  /** Times at which the address becomes another one. */
  readonly moves: readonly number[];
}

/** Used for half an hour at a time, eight times in a day and night. */
const USE_SECONDS = 30 * MINUTE;
const PAUSE_SECONDS = 2.5 * HOUR;
/** Every two hours the network goes away: mostly for less than a minute, one time in five for a third of an hour. */
const ONLINE_SECONDS = 2 * HOUR;
const SHORT_GAP_SECONDS = 40;
const LONG_GAP_SECONDS = 20 * MINUTE;
const LONG_GAPS = 0.2;
/** After so many gaps the device comes back in another network. */
const MOVES = 0.5;

export function aWeek(random: Random): Weather {
  const offline = spans(random, ONLINE_SECONDS, () =>
    random.about(random.happens(LONG_GAPS) ? LONG_GAP_SECONDS : SHORT_GAP_SECONDS),
  );
  return {
    uses: spans(random, PAUSE_SECONDS, () => random.about(USE_SECONDS)),
    offline,
    moves: offline.filter(() => random.happens(MOVES)).map(({ to }) => to),
  };
}

function spans(random: Random, apart: number, length: () => number): readonly Span[] {
  const found: Span[] = [];
  for (let from = random.about(apart); from < WEEK; from += random.about(apart)) {
    const to = from + length();
    found.push({ from, to });
    from = to;
  }
  return found;
}

/** The span that a time is in, else the next one. */
export function spanAt(all: readonly Span[], time: number): Span | undefined {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle]!.to <= time) low = middle + 1;
    else high = middle;
  }
  return all[low];
}
