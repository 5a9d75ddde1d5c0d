import { shown } from './shown.ts';
import type { Watcher } from './transfer.ts';

const BAR_CHARACTERS = 30;
const REDRAWN_AFTER_MS = 100;

/** Says on standard error how an import goes: refused rows line by line, and at a terminal a bar. */
export function importWatcher(): Watcher {
  const { stderr } = process;
  let drawnAt = 0;
  return {
    progress(done, { imported, present, refused }) {
      const isLast = done === 1;
      if (!stderr.isTTY || (!isLast && performance.now() - drawnAt < REDRAWN_AFTER_MS)) return;
      drawnAt = performance.now();
      const full = Math.round(done * BAR_CHARACTERS);
      const bar = `${'█'.repeat(full)}${'░'.repeat(BAR_CHARACTERS - full)}`;
      const counts = `${imported} imported, ${present} there already, ${refused} refused`;
      stderr.write(`\r${bar} ${Math.floor(done * 100)}% ${counts}\u001b[K`);
      if (isLast) stderr.write('\r\u001b[K');
    },
    refused(line, reason) {
      stderr.write(`${stderr.isTTY ? '\r\u001b[K' : ''}line ${line}: ${shown(reason)}\n`);
    },
  };
}
