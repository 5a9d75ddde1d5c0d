/**
 * The session rule on a table that is replicated between two regions as DynamoDB's global tables are by default: each
 * region decides on its own copy, whole items follow later, and of two writes the later one stands in both.
 */
import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../../functions/shared/domain/refusal.ts';
import { renewal } from '../../../../functions/shared/domain/renewal.ts';
import type { Session } from '../../../../functions/shared/domain/session.ts';
import { after, type Seconds, type UnixSeconds } from '../../../../functions/shared/domain/time.ts';
import { aSession, client, counter } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';
import { count } from '../../../support/counts.ts';
import { randomFrom, type Random } from '../../../support/random.ts';

const DAY = 86_400;
const IDLE: Seconds = 30 * DAY;
/** How often a client comes back for an access token. */
const REFRESHES_EVERY: Seconds = 900;

type Region = 0 | 1;
const other = (region: Region): Region => (region === 0 ? 1 : 0);

interface Copy {
  session: Session;
  /** Orders writes by the time at which they were made. */
  stamp: number;
}

/** Two copies of one session, and what is on its way between them. */
class TwoRegions {
  readonly lag: Seconds;
  readonly #copies: readonly [Copy, Copy];
  #underway: { to: Region; arrives: UnixSeconds; copy: Copy }[] = [];
  #stamps = 0;

  constructor(lag: Seconds) {
    this.lag = lag;
    const session = aSession();
    this.#copies = [
      { session, stamp: 0 },
      { session, stamp: 0 },
    ];
  }

  /** The counter that a refresh token with this counter is exchanged for, or nothing where it is refused. */
  refresh(region: Region, presented: number, who: string, now: UnixSeconds): number | undefined {
    const { session } = this.#at(region, now);
    try {
      const wanted = { counter: counter(presented), client: client(who), now, idle: IDLE };
      const verdict = renewal(session, wanted);
      if (verdict.kind === 'same-again') return session.current;
      this.#write(region, { ...session, ...verdict.change }, now);
      return verdict.change.current;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.reason === 'token-reused') this.revoke(region, now);
      return undefined;
    }
  }

  revoke(region: Region, now: UnixSeconds): void {
    this.#write(region, { ...this.#at(region, now).session, revokedAt: now }, now);
  }

  isRevoked(region: Region, now: UnixSeconds): boolean {
    return this.#at(region, now).session.revokedAt !== undefined;
  }

  #write(region: Region, session: Session, now: UnixSeconds): void {
    const copy = { session, stamp: (this.#stamps += 1) };
    Object.assign(this.#copies[region], copy);
    this.#underway.push({ to: other(region), arrives: after(now, this.lag), copy });
  }

  #at(region: Region, now: UnixSeconds): Copy {
    const arrived = this.#underway.filter(({ arrives }) => arrives <= now);
    this.#underway = this.#underway.filter(({ arrives }) => arrives > now);
    for (const { to, copy } of arrived) {
      if (copy.stamp > this.#copies[to].stamp) Object.assign(this.#copies[to], copy);
    }
    return this.#copies[region];
  }
}

/**
 * A device for a week that goes to any region with every request, loses one answer of a hundred, and then tries again within
 * the minute. @returns whether it kept its session
 */
function keepsItsSession(lag: Seconds, tabs: number, random: Random): boolean {
  const regions = new TwoRegions(lag);
  const anyRegion = (): Region => (random() < 0.5 ? 0 : 1);
  let held = 0;
  for (let now = START; now < START + 7 * DAY; now = after(now, REFRESHES_EVERY)) {
    const presented = held;
    // Tabs of one device present what is stored when they wake, and the last answer is what stays stored.
    for (let tab = 0, at = now; tab < tabs; tab += 1, at = after(at, random() < 0.5 ? 0 : 1)) {
      let answer = regions.refresh(anyRegion(), presented, 'phone', at);
      if (answer === undefined) return false;
      while (random() < 0.01) {
        at = after(at, 1 + Math.floor(random() * 59));
        answer = regions.refresh(anyRegion(), presented, 'phone', at);
        if (answer === undefined) return false;
      }
      held = answer;
    }
  }
  return true;
}

const lost = (devices: number, lag: Seconds, tabs: number): number => {
  const random = randomFrom(lag);
  return Array.from({ length: devices }, () => keepsItsSession(lag, tabs, random)).filter((kept) => !kept).length;
};

describe('a device for a week, to any region with every request, one answer of a hundred lost', () => {
  test.each([
    ['a second', 1],
    ['a minute', 60],
  ])('keeps its session where a region is behind by %s', (_name, lag) => {
    expect(lost(count(40, 1_000), lag, 1)).toBe(0);
  });

  test.each([
    ['an hour, several refreshes', 3_600],
    ['a week: they are cut off from each other', 7 * DAY],
  ])('hardly ever loses it where a region is behind by %s', (_name, lag) => {
    // An answer that got lost before a change of regions leaves two lines, which later look like two holders.
    const devices = count(100, 1_000);
    expect(lost(devices, lag, 1) / devices).toBeLessThanOrEqual(0.02);
  });

  test('with three tabs that wake at once keeps it where a region is seconds behind', () => {
    expect(lost(count(40, 1_000), 2, 3)).toBe(0);
  });

  test('with three tabs that wake at once often loses it where a region is behind by more than the 30 seconds of grace', () => {
    expect(lost(20, 60, 3)).toBeGreaterThan(0);
  });
});

test('two regions that rotate the same session at once give the same successor, and both copies of it live on', () => {
  const regions = new TwoRegions(1);
  expect([regions.refresh(0, 0, 'phone', START), regions.refresh(1, 0, 'phone', START)]).toEqual([1, 1]);
  const later = after(START, REFRESHES_EVERY);
  expect(regions.refresh(0, 1, 'phone', later)).toBe(2);
  expect(regions.refresh(1, 1, 'phone', later)).toBe(2);
});

test('a token from a region that is ahead is adopted, and the one it replaced is no way in any more', () => {
  const regions = new TwoRegions(DAY);
  let held = 0;
  let now = START;
  for (let turn = 0; turn < 3; turn += 1) held = regions.refresh(0, held, 'phone', (now = after(now, 900)))!;
  expect(held).toBe(3);
  expect(regions.refresh(1, held, 'phone', (now = after(now, 900)))).toBe(4);
  expect(regions.refresh(1, 1, 'thief', (now = after(now, 900)))).toBeUndefined();
  expect(regions.isRevoked(1, now)).toBe(true);
});

/** Refreshes until a thief who took the newest token, and uses the other region, is found; the victim stays in its own. */
function refreshesUntilFound(lag: Seconds, offset: Seconds): number {
  const regions = new TwoRegions(lag);
  let [held, stolen] = [0, 0];
  for (let turn = 1; turn <= 1_000; turn += 1) {
    const now = after(START, turn * REFRESHES_EVERY);
    const mine = regions.refresh(0, held, 'phone', now);
    const theirs = regions.refresh(1, stolen, 'thief', after(now, offset));
    if (mine === undefined || theirs === undefined) return turn;
    [held, stolen] = [mine, theirs];
  }
  return Infinity;
}

describe('a thief in the other region', () => {
  test.each([
    // As in one region: the second exchange of one token.
    [1, 300, 2],
    [1, 60, 2],
    // Within the lag both rotate, which looks like one; found when one of them is later than the lag.
    [60, 300, 2],
  ])('is found where it is %d s behind and the thief comes %d s after the victim', (lag, offset, refreshes) => {
    expect(refreshesUntilFound(lag, offset)).toBe(refreshes);
  });

  test('is not found where every use comes before the other one has arrived', () => {
    expect(refreshesUntilFound(60, 30)).toBe(Infinity);
    expect(refreshesUntilFound(7 * DAY * 10, 300)).toBe(Infinity);
  });
});

test('a session that is ended in one region comes back by a refresh in the other before that has arrived', () => {
  const regions = new TwoRegions(1);
  const now = after(START, REFRESHES_EVERY);
  regions.revoke(0, now);
  expect(regions.refresh(1, 0, 'phone', now)).toBe(1);
  const later = after(now, 10);
  expect([regions.isRevoked(0, later), regions.isRevoked(1, later)]).toEqual([false, false]);
});

test('a session that is ended where it is refreshed stays ended: one region at a time is safe', () => {
  const regions = new TwoRegions(1);
  const now = after(START, REFRESHES_EVERY);
  regions.revoke(0, now);
  expect(regions.refresh(0, 0, 'phone', now)).toBeUndefined();
  expect(regions.refresh(1, 0, 'phone', after(now, 1))).toBeUndefined();
});
