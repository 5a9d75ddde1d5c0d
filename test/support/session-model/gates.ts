import { Outage } from '../../../functions/shared/domain/refusal.ts';
import type { Conditional } from '../../../functions/shared/store/client.ts';
import type { Answer, Step, StoreCall, Underway, Weather } from './driver.ts';

interface Held {
  readonly of: 'user' | 'session';
  /** Does the call; what it returns happened in the store. */
  readonly open: () => readonly StoreCall[];
}

/** Holds the store calls of one request until it is stepped on, and tells what they did. */
export class Gates {
  readonly #weather: Weather;
  #held: Held[] = [];

  constructor(weather: Weather) {
    this.#weather = weather;
  }

  /** A read of the user that waits for its step. */
  read<Value>(act: () => Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      const open = (): readonly StoreCall[] => {
        if (this.#weather.fault === 'user-unreachable') reject(new Outage('users'));
        else resolve(act());
        return ['user-read'];
      };
      this.#held.push({ of: 'user', open });
    });
  }

  /** A write of the session that waits for its step. */
  write<Item>(act: () => Conditional<Item>): Promise<Conditional<Item>> {
    return new Promise((resolve) => {
      const open = (): readonly StoreCall[] => {
        const outcomes = [act()];
        // Only the answer to a write that went through is worth losing.
        if (this.#weather.fault === 'heard-twice' && outcomes[0]?.done) outcomes.push(act());
        resolve(outcomes.at(-1)!);
        return outcomes.map(({ done }) => (done ? 'written' : 'not-written'));
      };
      this.#held.push({ of: 'session', open });
    });
  }

  /** The request whose calls are held here, to be stepped on. */
  around(answer: Promise<Answer>): Underway {
    let known: Answer | undefined;
    let defect: unknown;
    answer.then(
      (value) => (known = value),
      (error: unknown) => (defect = error),
    );
    let told = false;
    const step = async (): Promise<Step> => {
      await everythingElse();
      const held = this.#held.find((each) => each.of === this.#weather.first) ?? this.#held[0];
      const calls = held?.open() ?? [];
      this.#held = this.#held.filter((each) => each !== held);
      await everythingElse();
      if (defect !== undefined) throw defect;
      const news = known !== undefined && !told ? { answer: known } : {};
      told = known !== undefined;
      return { calls, ...news, over: told && this.#held.length === 0 };
    };
    return { step };
  }
}

/** Lets everything run that waits for no step. In memory that takes no longer than one turn of the event loop. */
const everythingElse = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
