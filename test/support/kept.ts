import { randomUUID } from 'node:crypto';
import type { KeptText, RotatingSecret } from '../../functions/shared/domain/kept.ts';

/** Comes before each call; where it fails, the call is not made. */
export type Gate = (call: string) => Promise<void>;

/** Comes after each call that changed something; where it fails, the caller is not told of the change. */
export interface Gates {
  readonly before: Gate;
  readonly after: Gate;
}

export const OPEN: Gates = { before: () => Promise.resolve(), after: () => Promise.resolve() };

/** A secret in memory, with the versions and labels of Secrets Manager, and what a test needs to see of it. */
export interface MemorySecret {
  /** The secret as one caller has it. */
  through(gates: Gates): RotatingSecret;
  /** The text of the current version, empty where there is none. */
  text(): string;
  currentId(): string | undefined;
  /** What RotateSecret does before it calls anybody. */
  begin(id: string): void;
  /** The version that is pending and not current. */
  pendingId(): string | undefined;
}

export function memorySecret(name: string, first?: string): MemorySecret {
  const texts = new Map<string, string | undefined>();
  let current: string | undefined;
  let pending: string | undefined;
  const put = (id: string, text: string | undefined) => void texts.set(id, text);
  if (first !== undefined) {
    current = 'first';
    put(current, first);
  }
  return {
    text: () => (current === undefined ? '' : (texts.get(current) ?? '')),
    currentId: () => current,
    pendingId: () => (pending === current ? undefined : pending),
    begin(id) {
      put(id, undefined);
      pending = id;
    },
    through({ before, after }) {
      const reading = async <Value>(call: string, read: () => Value): Promise<Value> => {
        await before(`${name}.${call}`);
        return read();
      };
      const writing = async <Value>(call: string, write: () => Value): Promise<Value> => {
        await before(`${name}.${call}`);
        const value = write();
        await after(`${name}.${call}`);
        return value;
      };
      const promoted = (id: string, replaces: string | undefined) => {
        if (current === id) return true;
        if (current !== replaces) return false;
        current = id;
        return true;
      };
      const secret: RotatingSecret = {
        current: () =>
          reading('current', () => {
            const text = current === undefined ? undefined : texts.get(current);
            return current === undefined || text === undefined ? undefined : { id: current, text };
          }),
        replace: async (text, replaces) => {
          const id = randomUUID();
          await writing('put', () => put(id, text));
          return writing('promote', () => promoted(id, replaces?.id));
        },
        stateOf: (id) => reading('stateOf', () => (id === current ? 'current' : id === pending ? 'pending' : 'gone')),
        textOf: (id) => reading('textOf', () => texts.get(id)),
        pendingText: () => reading('pendingText', () => (pending === undefined ? undefined : texts.get(pending))),
        putPending: (id, text) =>
          writing('putPending', () => {
            if (texts.get(id) === undefined) put(id, text);
          }),
        promote: (id, replaces) => writing('promote', () => promoted(id, replaces)),
        giveUp: (id) =>
          writing('giveUp', () => {
            if (pending === id) pending = undefined;
          }),
      };
      return secret;
    },
  };
}

/** A parameter in memory. */
export interface MemoryText {
  through(gates: Gates): KeptText;
  text(): string;
  set(text: string | undefined): void;
}

export function memoryText(name: string, first?: string): MemoryText {
  let text = first;
  return {
    text: () => text ?? '',
    set: (to) => void (text = to),
    through: ({ before, after }) => ({
      async read() {
        await before(`${name}.read`);
        return text;
      },
      async write(to) {
        await before(`${name}.write`);
        text = to;
        await after(`${name}.write`);
      },
    }),
  };
}

/**
 * Runs acts at the same time, one of their calls after the other, in an order drawn from a seed.
 *
 * @param acts each gets the gates that its calls must pass
 * @param between looked at after every single call
 */
export async function interleaved(
  seed: number,
  acts: readonly ((gates: Gates) => Promise<unknown>)[],
  between: () => void = () => undefined,
): Promise<PromiseSettledResult<unknown>[]> {
  const waiting: (() => void)[] = [];
  const gates: Gates = {
    before: () => new Promise((resolve) => waiting.push(resolve)),
    after: () => Promise.resolve(),
  };
  let running = acts.length;
  const all = Promise.allSettled(acts.map((act) => act(gates).finally(() => (running -= 1))));
  for (let state = seed; running > 0;) {
    // Wait until every act stands at a gate; making a key takes a while.
    while (waiting.length < running) await new Promise((resolve) => setImmediate(resolve));
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    waiting.splice((state >>> 8) % (waiting.length || 1), 1)[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    between();
  }
  return all;
}

/** Gates at which an act is cut off: before or after its so manieth call. */
export function cutOff(at: number, when: 'before' | 'after'): Gates & { readonly calls: () => number } {
  let calls = 0;
  const cut = () => Promise.reject(new Error('cut off'));
  return {
    before: () => ((calls += 1) > at || (calls === at && when === 'before') ? cut() : Promise.resolve()),
    after: () => (calls === at && when === 'after' ? cut() : Promise.resolve()),
    calls: () => calls,
  };
}
