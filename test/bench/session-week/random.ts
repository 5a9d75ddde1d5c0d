import { createHash } from 'node:crypto';

/** Chance that can be had again: the same seed gives the same numbers, on every machine. */
export interface Random {
  /** At least `from`, less than `to`. */
  between(from: number, to: number): number;
  /** How long something takes to happen that happens once in `mean` on average, whatever was before. */
  about(mean: number): number;
  /** @param probability 0 to 1 */
  happens(probability: number): boolean;
}

/** Small Fast Counter (sfc32, Chris Doty-Humphrey), begun with a hash of the seed. */
export function randomFrom(seed: string): Random {
  const digest = createHash('sha256').update(seed).digest();
  let a = digest.readInt32LE(0);
  let b = digest.readInt32LE(4);
  let c = digest.readInt32LE(8);
  let count = digest.readInt32LE(12);
  /** 0 to 1, without 1. */
  const fraction = (): number => {
    const sum = (((a + b) | 0) + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  return {
    between: (from, to) => from + fraction() * (to - from),
    about: (mean) => -Math.log(1 - fraction()) * mean,
    happens: (probability) => fraction() < probability,
  };
}
