import { after, unixSeconds, type Clock, type Seconds, type UnixSeconds } from '../../functions/shared/domain/time.ts';

/** When a test begins unless it says otherwise. */
export const START = unixSeconds(1_700_000_000);

/** A clock that stands still until it is set. */
export interface SetClock {
  readonly now: Clock;
  set(time: UnixSeconds): void;
  advance(seconds: Seconds): void;
}

export function clockAt(start: UnixSeconds = START): SetClock {
  let time = start;
  return {
    now: () => time,
    set: (to) => void (time = to),
    advance: (seconds) => void (time = after(time, seconds)),
  };
}
