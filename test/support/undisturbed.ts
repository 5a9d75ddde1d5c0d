import type { Answer } from './service.ts';

const MOST_AGAIN = 10;

/**
 * Asks again as long as the answer is 503, which a busy machine may say to anybody.
 *
 * @param before each further time
 */
export async function undisturbed(send: () => Promise<Answer>, before = () => Promise.resolve()): Promise<Answer> {
  let answer = await send();
  for (let again = 1; again <= MOST_AGAIN && answer.status === 503; again += 1) {
    await before();
    answer = await send();
  }
  return answer;
}
