import { useSyncExternalStore } from 'react';
import type { Pair, PairStore } from './fetch.ts';

/** A store that components can follow; `kept` is what it is kept in, such as localStorage. */
export function followed(kept: PairStore) {
  const listeners = new Set<() => void>();
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const isLoggedIn = () => kept.read() !== undefined;
  return {
    read: () => kept.read(),
    write(pair: Pair | undefined) {
      kept.write(pair);
      for (const listener of listeners) listener();
    },
    /** `const isLoggedIn = store.useLoggedIn()` in a component. */
    useLoggedIn: () => useSyncExternalStore(subscribe, isLoggedIn, isLoggedIn),
  };
}
