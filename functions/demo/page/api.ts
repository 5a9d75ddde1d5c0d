/** Calls of the API with the client's `fetch`, which puts the access token on them. */
import { LatchkeyError, type Members } from 'latchkey-client';
import { auth } from './auth.ts';
import { Refused } from './trouble.ts';

/**
 * Sends a request and reads the answer.
 *
 * @throws {Refused} for every answer but a success; {LatchkeyError} as the client's `fetch`, `unavailable` also where no
 *   answer came
 */
export async function ask(method: string, path: string, body?: Members): Promise<Members> {
  const answer = await auth
    .fetch(path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
    .catch((error: unknown) => {
      // What the platform throws where no answer comes.
      throw error instanceof TypeError ? new LatchkeyError('unavailable', error) : error;
    });
  const members = membersIn(await answer.text());
  if (answer.ok) return members;
  throw new Refused(answer.status, members, Number(answer.headers.get('retry-after')) || 0);
}

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
