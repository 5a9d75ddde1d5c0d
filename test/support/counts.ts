/**
 * How often a test repeats what it does: `usual` times in `npm test`, `full` times in `npm run test:full`, and
 * LATCHKEY_TEST_COUNT times where that is set.
 */
export function count(usual: number, full: number): number {
  const { LATCHKEY_TEST_COUNT: chosen, LATCHKEY_TEST_FULL: isFull } = process.env;
  if (chosen !== undefined && /^[1-9]\d{0,8}$/.test(chosen)) return Number(chosen);
  return isFull === '1' ? full : usual;
}
