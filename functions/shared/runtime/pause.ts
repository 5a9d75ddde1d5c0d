import { setTimeout } from 'node:timers/promises';

/** Waits. @param milliseconds as nothing else of ours is counted: an answer that hides its work needs no more than a few seconds */
export const pauseOf = (milliseconds: number) => async (): Promise<void> => {
  await setTimeout(milliseconds);
};
