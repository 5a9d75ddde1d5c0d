import { expect, test } from '@jest/globals';
import { LONGEST_WAIT_SECONDS, waitAfter, WAITS } from '../../../../functions/shared/domain/attempts.ts';

test('five wrong passwords are free', () => {
  expect([0, 1, 2, 3, 4].map(waitAfter)).toEqual([0, 0, 0, 0, 0]);
});

test('the wait then doubles, from one second to fifteen minutes', () => {
  expect([5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map(waitAfter)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
  expect([15, 16, 100, 5_000, Number.MAX_SAFE_INTEGER].map(waitAfter)).toEqual([900, 900, 900, 900, 900]);
});

test('the waits in between are listed, each once, for those who have to write them into a condition', () => {
  expect(WAITS).toEqual(
    [5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map((failures) => ({ failures, wait: waitAfter(failures) })),
  );
  expect(waitAfter(WAITS.at(-1)!.failures + 1)).toBe(LONGEST_WAIT_SECONDS);
});
