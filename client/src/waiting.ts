type Signal = AbortSignal | null | undefined;

/** Runs something when a signal comes, at once where it came already. @returns what calls it off */
function onAbort(signal: Signal, run: () => void): () => void {
  if (signal?.aborted) run();
  signal?.addEventListener('abort', run);
  return () => signal?.removeEventListener('abort', run);
}

/** Runs something after a while, or as soon as a signal comes. @returns what calls it off, and must be called after it too */
export function inTime(milliseconds: number, signal: Signal, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds);
  const stop = onAbort(signal, run);
  return () => {
    clearTimeout(timer);
    stop();
  };
}

/** Waits; a signal ends the wait early. It never fails: who waited looks at the signal. */
export function pause(milliseconds: number, signal: Signal): Promise<void> {
  let stop: (() => void) | undefined;
  return new Promise<void>((resolve) => {
    stop = inTime(milliseconds, signal, resolve);
  }).finally(stop);
}

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
