import type { Random } from './random.ts';
import { spanAt, type Span } from './weather.ts';

/** Of all answers, so many get lost without anybody being offline; of requests, half as many. */
const LOST_ANSWERS = 0.01;
const LOST_REQUESTS = 0.005;

/** One request in 10,000 is held back somewhere on its way, for up to two minutes. */
const HELD_BACK = 0.0001;
const HELD_BACK_SECONDS = [10, 120] as const;

/** What a gap in the network catches is sent again after it by the transport, every second time, if it was short. */
const RESENT = 0.5;
const RESENT_WITHIN_SECONDS = 60;

/** How requests and answers get through. Times are in seconds since the beginning, undefined where one never arrives. */
export interface Network {
  readonly offline: readonly Span[];
  requestArrives(sentAt: number): number | undefined;
  answerArrives(sentAt: number): number | undefined;
}

/** One that loses what it can lose. */
export function flakyNetwork(random: Random, offline: readonly Span[]): Network {
  const through = (from: number, to: number): number | undefined => {
    const gap = spanAt(offline, from);
    if (gap === undefined || gap.from >= to) return to;
    const isResent = gap.to - gap.from < RESENT_WITHIN_SECONDS && random.happens(RESENT);
    return isResent ? gap.to + latency(random) : undefined;
  };
  return {
    offline,
    requestArrives(sentAt) {
      if (random.happens(LOST_REQUESTS)) return undefined;
      const delay = random.happens(HELD_BACK) ? random.between(...HELD_BACK_SECONDS) : latency(random);
      return through(sentAt, sentAt + delay);
    },
    answerArrives: (sentAt) => (random.happens(LOST_ANSWERS) ? undefined : through(sentAt, sentAt + latency(random))),
  };
}

/** One that loses nothing. */
export const calmNetwork = (random: Random): Network => ({
  offline: [],
  requestArrives: (sentAt) => sentAt + latency(random),
  answerArrives: (sentAt) => sentAt + latency(random),
});

/** One way, in seconds: mostly some tenths, now and then some seconds. */
const latency = (random: Random): number => 0.04 + random.about(random.happens(0.02) ? 2 : 0.12);
