import { renameSync, writeFileSync } from 'node:fs';

/** Replaces a file as a whole, readable by its owner only: whoever reads it sees the old text or the new one. */
export function writePrivately(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}
