type Signal = AbortSignal | null | undefined;

/** Runs something when a signal comes, at once where it came already. @returns what calls it off */
export function onAbort(signal: Signal, run: () => void): () => void {
  if (signal?.aborted) run();
  signal?.addEventListener('abort', run);
  return () => signal?.removeEventListener('abort', run);
}

/** Waits; a signal ends the wait early. It never fails: who waited looks at the signal. */
export const pause = (milliseconds: number, signal?: Signal): Promise<unknown> =>
  unlessAborted(new Promise((resolve) => void setTimeout(resolve, milliseconds)), signal).catch(ignore);

/** What a promise gives, unless a signal comes first; what it stands for goes on for the others who wait for it. */
export function unlessAborted<Value>(promise: Promise<Value>, signal: Signal): Promise<Value> {
  let stop: (() => void) | undefined;
  return new Promise<Value>((resolve, reject) => {
    // React Native's signals have no reason.
    stop = onAbort(signal, () => reject((signal?.reason ?? new Error('aborted')) as Error));
    promise.then(resolve, reject);
  }).finally(stop);
}

/** For what may fail without consequence. */
export const ignore = (): undefined => undefined;
