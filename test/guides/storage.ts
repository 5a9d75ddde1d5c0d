import type { Pair, PairStore } from './fetch.ts';

/** `storeIn(localStorage)`: all tabs of the origin share it, and every script of the page can read it. */
export const storeIn = (
  storage: Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'>,
  key = 'latchkey',
): PairStore => ({
  read() {
    const text = storage.getItem(key);
    return text === null ? undefined : (JSON.parse(text) as Pair);
  },
  write(pair) {
    if (pair === undefined) storage.removeItem(key);
    else storage.setItem(key, JSON.stringify(pair));
  },
});
