/** The error function's complement, to seven digits (Abramowitz and Stegun 7.1.26). @param x not negative */
function erfc(x: number): number {
  const t = 1 / (1 + 0.327_591_1 * x);
  const series =
    t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
  return series * Math.exp(-x * x);
}

/** Ranks from 1, ties sharing the mean of theirs. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, at) => at).sort((one, other) => values[one]! - values[other]!);
  const ranks = Array<number>(values.length);
  for (let first = 0; first < order.length;) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1]!] === values[order[first]!]) last += 1;
    for (let at = first; at <= last; at += 1) ranks[order[at]!] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return ranks;
}

/**
 * How likely two samples of one and the same distribution differ as much as these do, or more: the rank-sum test of Mann
 * and Whitney, two-sided, in its normal approximation (good from some 20 values each).
 *
 * @returns a probability; small where they differ
 */
export function sameDistribution(one: readonly number[], other: readonly number[]): number {
  const ranks = ranksOf([...one, ...other]);
  const sum = ranks.slice(0, one.length).reduce((total, rank) => total + rank, 0);
  const u = sum - (one.length * (one.length + 1)) / 2;
  const mean = (one.length * other.length) / 2;
  const deviation = Math.sqrt((one.length * other.length * (one.length + other.length + 1)) / 12);
  return erfc(Math.abs(u - mean) / deviation / Math.SQRT2);
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
