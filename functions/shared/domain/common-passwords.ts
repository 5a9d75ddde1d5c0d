import { createHash } from 'node:crypto';
import { COMMON_PASSWORDS } from './common-passwords-data.ts';

/** The form in which passwords are compared with the list: what only differs in case or width is as easy to guess. */
const folded = (password: string): string => password.normalize('NFKC').toLowerCase();

/** 32 bits of a password's hash: of random passwords, one in 400,000 is taken for a common one. */
export const fingerprintOf = (password: string): number =>
  createHash('sha256').update(folded(password), 'utf8').digest().readUInt32BE(0);

/** Sorted fingerprints as the gaps between them, seven bits a byte, the last byte of each with its top bit set. */
export function packed(fingerprints: Iterable<number>): string {
  const bytes: number[] = [];
  let last = 0;
  for (const fingerprint of [...new Set(fingerprints)].sort((one, other) => one - other)) {
    let gap = fingerprint - last;
    last = fingerprint;
    for (; gap > 127; gap = Math.floor(gap / 128)) bytes.push(gap % 128);
    bytes.push(gap + 128);
  }
  return Buffer.from(bytes).toString('base64');
}

/** The fingerprints that {@link packed} packed. */
export function unpacked(text: string): ReadonlySet<number> {
  const fingerprints = new Set<number>();
  let last = 0;
  let gap = 0;
  let factor = 1;
  for (const byte of Buffer.from(text, 'base64')) {
    gap += (byte % 128) * factor;
    factor *= 128;
    if (byte < 128) continue;
    last += gap;
    fingerprints.add(last);
    gap = 0;
    factor = 1;
  }
  return fingerprints;
}

let common: ReadonlySet<number> | undefined;

/** Whether a password is one of the most common ones of the lengths we take. */
export function isCommonPassword(password: string): boolean {
  common ??= unpacked(COMMON_PASSWORDS);
  return common.has(fingerprintOf(password));
}
