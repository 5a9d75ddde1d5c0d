import type { Agenda } from './agenda.ts';
import type { Random } from './random.ts';
import type { Judge } from './rules.ts';
import { DAY, spanAt, type Weather } from './weather.ts';

/**
 * What a thief does with a copy of the token that a device holds while it is used. `independent`: uses it soon, and then
 * whenever its access token ends. `later`: the same after hours or days. `shadow`: comes some seconds after each refresh
 * of the victim; `shadow in disguise`: with the victim's address and user agent.
 */
export type ThiefKind = 'independent' | 'later' | 'shadow' | 'shadow in disguise';

/** Between two uses, in seconds: a little longer than an access token lives, and never two for one use of the victim. */
const EVERY_SECONDS = [900, 960] as const;
const SHADOWS_AFTER_SECONDS = [1, 5] as const;
const SOON_SECONDS = 900;
const LATER_SECONDS = [3_600, 3 * DAY] as const;

export class Thief {
  readonly #kind: ThiefKind;
  readonly #agenda: Agenda;
  readonly #judge: Judge;
  readonly #random: Random;
  #holds: number | undefined;
  #firstUse: number | undefined;
  #pairs = 0;
  #isComing = false;

  /** @param stored what the victim's device holds at the moment */
  constructor(kind: ThiefKind, agenda: Agenda, judge: Judge, random: Random, weather: Weather, stored: () => number) {
    this.#kind = kind;
    this.#agenda = agenda;
    this.#judge = judge;
    this.#random = random;
    const use = spanAt(weather.uses, random.between(DAY, 2 * DAY));
    if (use === undefined) return;
    agenda.plan(random.between(use.from, use.to), () => {
      this.#holds = stored();
      if (kind === 'independent') this.#comes(random.between(0, SOON_SECONDS));
      if (kind === 'later') this.#comes(random.between(...LATER_SECONDS));
    });
  }

  get hasUsed(): boolean {
    return this.#firstUse !== undefined;
  }

  /** The victim got a pair, which somebody who watches can see. */
  victimWasGiven(now: number, by: string): void {
    if (this.#kind !== 'shadow' && this.#kind !== 'shadow in disguise') return;
    if (this.#holds === undefined || this.#isComing) return;
    this.#isComing = true;
    const after = this.#random.between(...SHADOWS_AFTER_SECONDS);
    this.#agenda.plan(now + after, () => {
      this.#isComing = false;
      this.#uses(this.#kind === 'shadow' ? 'elsewhere' : by);
    });
  }

  /** @param endedAt when the session was over, if it was */
  outcome(endedAt: number | undefined): { foundAfter?: number; pairs: number } | undefined {
    if (this.#firstUse === undefined) return undefined;
    return { pairs: this.#pairs, ...(endedAt !== undefined && { foundAfter: endedAt - this.#firstUse }) };
  }

  #comes(after: number): void {
    this.#agenda.plan(this.#agenda.now + after, () => {
      this.#uses('elsewhere');
      this.#comes(this.#random.between(...EVERY_SECONDS));
    });
  }

  #uses(by: string): void {
    const { now } = this.#agenda;
    this.#firstUse ??= now;
    const given = this.#judge.present(this.#holds!, by, now);
    if (given === undefined) return;
    this.#holds = given;
    this.#pairs += 1;
  }
}
