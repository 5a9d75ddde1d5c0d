import { expect, test } from '@jest/globals';
import { median, sameDistribution } from './rank-test.ts';

const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, at) => from + at);

test('the rank test finds nothing where there is nothing, and a shift of a tenth of the spread where there is one', () => {
  expect(sameDistribution(upTo(200), upTo(200))).toBeCloseTo(1, 5);
  expect(sameDistribution(upTo(200), upTo(200, 5))).toBeGreaterThan(0.3);
  expect(sameDistribution(upTo(200), upTo(200, 20))).toBeLessThan(0.01);
  expect(sameDistribution(upTo(50), upTo(50, 1_000))).toBeLessThan(1e-6);
});

test('agrees with a table: U of 6 for samples of 8 and 7 is two-sided 0.011, without the correction for continuity', () => {
  const one = [1, 2, 3, 4, 5, 6, 9, 12];
  const other = [7, 8, 10, 11, 13, 14, 15];
  expect(sameDistribution(one, other)).toBeCloseTo(0.0109, 3);
});

test('ties share their ranks', () => {
  expect(sameDistribution([1, 1, 1, 1], [1, 1, 1, 1])).toBeCloseTo(1, 5);
  expect(median([3, 1, 2])).toBe(2);
});
