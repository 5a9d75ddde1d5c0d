/** How often something may take too long: code that is too slow is so every time. */
const TRIES = 4;

/**
 * Does what has to end within a limit, and does it again where it took longer, as a busy machine makes of anything.
 *
 * @param limit in milliseconds
 * @param before what it takes to do it again
 * @returns how many milliseconds it took at last
 */
export async function inTime(
  limit: number,
  act: () => Promise<void>,
  before: () => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  for (let left = TRIES; ; left -= 1) {
    const start = performance.now();
    await act();
    const took = performance.now() - start;
    if (took < limit || left === 1) return took;
    await before();
  }
}
