import type { Answer, Step, StoreCall, Underway, Weather } from './driver.ts';

/** The item that a call of the store is about. */
export type About = 'user' | 'session';

/** What a call came to: what happened in the store, and what the function hears of it. */
export interface Done<Value> {
  readonly calls: readonly StoreCall[];
  readonly outcome: Promise<Value>;
}

interface Held {
  readonly about: About;
  readonly open: () => Promise<readonly StoreCall[]>;
}

/** Holds the store calls of one request until it is stepped on, and tells what they did. */
export class Gates {
  readonly #first: Weather['first'];
  readonly #atRest: (gates: Gates) => Promise<void>;
  #held: Held[] = [];
  #opened: About[] = [];
  #isAnswered = false;
  #news = Promise.withResolvers<undefined>();

  /** @param atRest resolves once the request waits for nothing but a step */
  constructor(first: Weather['first'], atRest: (gates: Gates) => Promise<void>) {
    this.#first = first;
    this.#atRest = atRest;
  }

  /** How many calls wait for their step. */
  get held(): number {
    return this.#held.length;
  }

  /** What the calls that got through were about. */
  get opened(): readonly About[] {
    return this.#opened;
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Resolves at the next call that is held, or the answer. */
  get news(): Promise<undefined> {
    return this.#news.promise;
  }

  /** A call that waits for its step. */
  hold<Value>(about: About, act: () => Done<Value> | Promise<Done<Value>>): Promise<Value> {
    return new Promise((resolve) => {
      const open = async (): Promise<readonly StoreCall[]> => {
        const { calls, outcome } = await act();
        resolve(outcome);
        return calls;
      };
      this.#held.push({ about, open });
      this.#tell();
    });
  }

  /** The request whose calls are held here, to be stepped on. */
  async around(answer: Promise<Answer>): Promise<Underway> {
    let known: Answer | undefined;
    let defect: unknown;
    void answer
      .then(
        (value) => (known = value),
        (error: unknown) => (defect = error),
      )
      .then(() => {
        this.#isAnswered = true;
        this.#tell();
      });
    let told = false;
    const step = async (): Promise<Step> => {
      const held = this.#held.find(({ about }) => about === this.#first) ?? this.#held[0];
      this.#held = this.#held.filter((each) => each !== held);
      const calls = (await held?.open()) ?? [];
      if (held !== undefined) this.#opened.push(held.about);
      await this.#atRest(this);
      if (defect !== undefined) throw defect;
      const news = known !== undefined && !told ? { answer: known } : {};
      told = known !== undefined;
      return { calls, ...news, over: told && this.#held.length === 0 };
    };
    await this.#atRest(this);
    return { step };
  }

  #tell(): void {
    this.#news.resolve(undefined);
    this.#news = Promise.withResolvers();
  }
}
