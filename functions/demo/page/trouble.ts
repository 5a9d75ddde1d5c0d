/** What went wrong, in words for the one at the page. */
import { LatchkeyError, type Members } from 'latchkey-client';

/** A refusal by the API, with its problem document (RFC 9457). */
export class Refused extends Error {
  readonly status: number;
  readonly problem: Members;
  /** In seconds; 0 where the server asked for no wait. */
  readonly retryAfter: number;

  constructor(status: number, problem: Members, retryAfter: number) {
    super(`Refused: ${status}`);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

export interface Trouble {
  readonly sentence: string;
  /** By the name of the field. */
  readonly fields: ReadonlyMap<string, string>;
}

/** @throws whatever it is given, if that is no answer and no lack of one, but a defect of this page */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof Refused) return said(error.problem, error.retryAfter);
  if (error instanceof LatchkeyError) {
    switch (error.kind) {
      case 'refused':
        return said(error.problem, error.retryAfter / 1000);
      case 'ended':
        return only('You were logged out before this could be done.');
      case 'unavailable':
        // Why the last of several tries failed says more.
        if (error.cause instanceof LatchkeyError) return troubleOf(error.cause);
        return error.status === undefined
          ? only('The server cannot be reached. Nothing is lost: try again when you are online.')
          : said(error.problem, error.retryAfter / 1000);
    }
  }
  throw error;
}

const only = (sentence: string): Trouble => ({ sentence, fields: new Map() });

/** The server's own words. */
function said({ detail, ...members }: Members, seconds: number): Trouble {
  const sentence = typeof detail === 'string' ? detail : 'The server gave no answer of its own.';
  const fields = Object.entries(members).flatMap(([name, messages]): [string, string][] =>
    Array.isArray(messages) ? [[name, messages.join(' ')]] : [],
  );
  const again = seconds > 0 ? ` Try again in ${waitInWords(seconds)}.` : '';
  return { sentence: sentence + again, fields: new Map(fields) };
}

const waitInWords = (seconds: number) =>
  seconds < 90 ? `${Math.ceil(seconds)} seconds` : `${Math.ceil(seconds / 60)} minutes`;
