/** Calls of the API with the client's `fetch`, which puts the access token on them. */
import { LatchkeyError, type Members } from 'latchkey-client';
import { auth } from './auth.ts';
import { Refused } from './trouble.ts';

/** How often a question is asked that the server cannot answer just now. */
const TRIES = 3;

/**
 * Sends a request and reads the answer. A GET, which changes nothing, goes out again where the server asks for a little
 * patience.
 *
 * @throws {Refused} for every answer but a success; {LatchkeyError} as the client's `fetch`, `unavailable` also where no
 *   answer came
 */
export async function ask(method: string, path: string, body?: Members): Promise<Members> {
  for (let tried = 1; ; tried += 1) {
    const answer = await sent(method, path, body);
    const members = membersIn(await answer.text());
    if (answer.ok) return members;
    const wait = Number(answer.headers.get('retry-after')) || 0;
    const mayAskAgain = method === 'GET' && answer.status === 503 && tried < TRIES;
    if (!mayAskAgain) throw new Refused(answer.status, members, wait);
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
  }
}

const sent = (method: string, path: string, body?: Members): Promise<Response> =>
  auth
    .fetch(path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
    .catch((error: unknown) => {
      // What the platform throws where no answer comes.
      throw error instanceof TypeError ? new LatchkeyError('unavailable', error) : error;
    });

/** The members of a JSON object; none where it is something else. */
export function membersIn(text: string): Members {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? { ...value } : {};
  } catch {
    return {};
  }
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
