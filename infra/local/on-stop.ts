/**
 * From here on, Ctrl-C or SIGTERM closes everything and ends the process well; again changes nothing. It comes before
 * the line that says so: whoever reads that may stop at once.
 */
export function onStop(close: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      void close().then(() => process.exit(0));
    });
  }
}
