import type { Loss } from '../../support/session-model/honest.ts';
import { Agenda } from './agenda.ts';
import { History, type Request } from './history.ts';
import { calmNetwork, flakyNetwork, type Network } from './network.ts';
import { randomFrom, type Random } from './random.ts';
import type { Judge, Rule } from './rules.ts';
import { Thief, type ThiefKind } from './thief.ts';
import { aWeek, spanAt, WEEK, type Weather } from './weather.ts';

/** How a session is used. */
export interface Usage {
  /** Tabs that share one storage and ask without asking each other. */
  readonly tabs: number;
  /** Whether each request takes one of two addresses, as with two networks at once, or IPv4 and IPv6. */
  readonly twoAddresses: boolean;
  /** Whether the network loses nothing, so that nothing but tokens in two hands can end a session. */
  readonly calm: boolean;
  readonly thief?: ThiefKind;
}

/** What became of a session in a week. */
export interface Outcome {
  /** Seconds after which its honest device was refused with nobody else having used its tokens. */
  readonly lostAfter?: number;
  /** By which schedule; under this rule only. */
  readonly loss?: Loss;
  /** What the thief had of it; absent where none came to use a token. */
  readonly theft?: {
    /** Seconds from the first stolen use until the session was over; absent where it outlived the week. */
    readonly foundAfter?: number;
    /** Pairs that the thief was given. */
    readonly pairs: number;
  };
  /** Pairs that the device asked for and was given. */
  readonly refreshes: number;
}

export const ACCESS_SECONDS = 900;
/** A client waits this long for an answer. */
const PATIENCE_SECONDS = 15;
const LONGEST_PAUSE_SECONDS = 60;
/** After a failure, the device is put away so often; the retry comes when it is used again. */
const PUT_AWAY = 0.3;
/** So often a tab refreshes by a timer, as every other tab then does; else when it next needs a token. */
const BY_TIMER = 0.5;
const USE_EVERY_SECONDS = 20;

/** Clocks of two functions differ by half a second at the most. */
const CLOCKS_SECONDS = 0.5;

/** Plays one week of one session. The same seed brings the same weather, whatever the rule. */
export const aSessionsWeek = (rule: Rule, usage: Usage, seed: string): Outcome =>
  new SessionWeek(rule, usage, seed).play();

class SessionWeek {
  readonly #usage: Usage;
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #network: Network;
  readonly #agenda = new Agenda();
  readonly #judge: Judge;
  readonly #history = new History();
  readonly #thief: Thief | undefined;
  /** What the device keeps, for all its tabs. */
  #stored = { counter: 0, accessUntil: ACCESS_SECONDS };
  #refreshes = 0;
  #lostAfter: number | undefined;
  #loss: Loss | undefined;

  constructor(rule: Rule, usage: Usage, seed: string) {
    this.#usage = usage;
    this.#weather = aWeek(randomFrom(`${seed} weather`));
    this.#random = randomFrom(`${seed} traffic`);
    this.#network = usage.calm ? calmNetwork(this.#random) : flakyNetwork(this.#random, this.#weather.offline);
    this.#judge = rule.begin(0);
    if (usage.thief !== undefined) {
      const stored = () => this.#stored.counter;
      const luck = randomFrom(`${seed} thief`);
      this.#thief = new Thief(usage.thief, this.#agenda, this.#judge, luck, this.#weather, stored);
    }
  }

  play(): Outcome {
    const tabs = Array.from({ length: this.#usage.tabs }, () => ({ tries: 0 }));
    for (const tab of tabs) this.#whenUsed(tab, 0);
    this.#agenda.run(WEEK, () => this.#lostAfter !== undefined || this.#judge.ended);
    const theft = this.#thief?.outcome(this.#judge.ended ? this.#agenda.now : undefined);
    return {
      refreshes: this.#refreshes,
      ...(this.#lostAfter !== undefined && { lostAfter: this.#lostAfter }),
      ...(this.#loss !== undefined && { loss: this.#loss }),
      ...(theft !== undefined && { theft }),
    };
  }

  /** A tab does something as soon as the device is used, at `time` or later. All tabs wake up together. */
  #whenUsed(tab: Tab, time: number): void {
    const use = spanAt(this.#weather.uses, time);
    if (use === undefined) return;
    this.#agenda.plan(use.from > time ? use.from + this.#random.between(0, 1) : time, () => this.#needsToken(tab));
  }

  #needsToken(tab: Tab): void {
    const { now } = this.#agenda;
    const { accessUntil } = this.#stored;
    if (now < accessUntil) {
      tab.tries = 0;
      const byTimer = this.#random.happens(BY_TIMER);
      this.#whenUsed(
        tab,
        accessUntil + (byTimer ? this.#random.between(0, 0.2) : this.#random.about(USE_EVERY_SECONDS)),
      );
      return;
    }
    const gap = spanAt(this.#network.offline, now);
    if (gap !== undefined && gap.from <= now) this.#triesAgain(tab, now);
    else this.#asks(tab);
  }

  #asks(tab: Tab): void {
    const { now } = this.#agenda;
    const request = this.#history.sent(this.#stored.counter, this.#address(now));
    let isAnswered = false;
    const arrivesAt = this.#network.requestArrives(now);
    if (arrivesAt !== undefined) {
      this.#agenda.plan(arrivesAt, () => {
        const answer = this.#judged(request);
        const backAt = this.#network.answerArrives(this.#agenda.now);
        if (answer === undefined || backAt === undefined || backAt > now + PATIENCE_SECONDS) return;
        isAnswered = true;
        const accessUntil = this.#agenda.now + ACCESS_SECONDS;
        this.#agenda.plan(backAt, () => {
          this.#history.arrived(request);
          this.#stored = { counter: answer, accessUntil };
          this.#refreshes += 1;
          this.#needsToken(tab);
        });
      });
    }
    this.#agenda.plan(now + PATIENCE_SECONDS, () => {
      if (!isAnswered) this.#triesAgain(tab, this.#agenda.now);
    });
  }

  #judged(request: Request): number | undefined {
    const { now } = this.#agenda;
    const functionsNow = now + this.#random.between(-CLOCKS_SECONDS, CLOCKS_SECONDS);
    const { counter, by } = request;
    const before = this.#judge.session;
    const answer = this.#judge.present(counter, by, functionsNow);
    if (before !== undefined && this.#judge.session !== undefined) {
      this.#history.judged(request, { before, after: this.#judge.session, answer, now, functionsNow });
    }
    if (answer === undefined && this.#thief?.hasUsed !== true) {
      this.#lostAfter = now;
      if (before !== undefined) this.#loss = this.#history.lossBy(request);
    }
    if (answer !== undefined) this.#thief?.victimWasGiven(now, by);
    return answer;
  }

  #triesAgain(tab: Tab, now: number): void {
    tab.tries += 1;
    const use = spanAt(this.#weather.uses, now);
    const pause = Math.min(2 ** tab.tries, LONGEST_PAUSE_SECONDS) + this.#random.between(0, 1);
    const isPutAway = this.#random.happens(PUT_AWAY);
    this.#whenUsed(tab, isPutAway && use !== undefined && use.from <= now ? use.to : now + pause);
  }

  #address(now: number): string {
    if (this.#usage.twoAddresses) return this.#random.happens(0.5) ? 'one address' : 'the other address';
    return this.#weather.moves.filter((at) => at <= now).length % 2 === 0 ? 'home' : 'street';
  }
}

interface Tab {
  tries: number;
}
