import type { Members } from './held.ts';

/**
 * `refused`: the server said no to a login. `unavailable`: no answer, or none of the server's own; the session lives on,
 * try again later. `ended`: the session a request belonged to ended or changed before the request could go out.
 */
export type Trouble = 'refused' | 'unavailable' | 'ended';

export class LatchkeyError extends Error {
  override readonly name = 'LatchkeyError';
  declare readonly kind: Trouble;
  /** The HTTP status; absent where no answer came. */
  declare readonly status: number | undefined;
  /** What the server said, by the members of a problem document (RFC 9457): `detail`, `code`, a list for each field. */
  declare readonly problem: Members;

  /** How long the server asked to wait, in milliseconds; 0 where it did not. */
  declare readonly retryAfter: number;

  constructor(kind: Trouble, cause?: unknown, status?: number, problem: Members = {}, retryAfter = 0) {
    super(kind, { cause });
    Object.assign(this, { kind, retryAfter, status, problem });
  }
}
