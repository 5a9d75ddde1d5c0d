import type { Seconds } from './time.ts';

/** Every reason for which we decline on purpose. `http/answers.ts` has an answer for each, or does not compile. */
export type Reason =
  | 'malformed-body'
  | 'not-an-object'
  | 'unsupported-media-type'
  | 'body-too-large'
  | 'invalid-fields'
  | 'unknown-user'
  | 'wrong-password'
  | 'user-disabled'
  | 'too-many-attempts'
  | 'too-many-guesses'
  | 'too-many-from-address'
  | 'username-taken'
  | 'token-malformed'
  | 'token-forged'
  | 'token-wrong-type'
  | 'token-expired'
  | 'token-reused'
  | 'unknown-session'
  | 'session-revoked'
  | 'session-expired'
  | 'session-superseded'
  | 'account-gone'
  | 'account-disabled'
  | 'bearer-refused'
  | 'no-credentials'
  | 'unknown-mode'
  | 'cookie-mode-off'
  | 'cross-site-request'
  | 'insufficient-scope'
  | 'email-taken'
  | 'not-found';

/** Messages per field, in the order of the fields; the shape a client of Simple JWT knows. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

interface RefusalDetails {
  /** What to say of each field, for `invalid-fields`. */
  fields?: FieldErrors;
  /** What the caller sent and may be told back, for `unsupported-media-type`; never a token or a password. */
  shown?: string;
  /** When asking again makes sense. Only where that tells nobody which names have accounts. */
  retryAfter?: Seconds;
}

/**
 * We declined on purpose. Any other error is a defect or an {@link Outage}. Its message is the reason alone, so
 * that nothing a caller sent can reach a log through it.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: Reason;
  readonly fields: FieldErrors;
  readonly shown: string;
  readonly retryAfter: Seconds | undefined;

  constructor(reason: Reason, { fields = {}, shown = '', retryAfter }: RefusalDetails = {}) {
    super(reason);
    this.reason = reason;
    this.fields = fields;
    this.shown = shown;
    this.retryAfter = retryAfter;
  }
}

/** Something of ours is out of reach (the store, a secret): the caller may try again, and is never let in. */
export class Outage extends Error {
  override readonly name = 'Outage';

  /** @param what which dependency, in our own words; its error's text stays in `cause`, which is logged by name only */
  constructor(what: string, cause?: unknown) {
    super(what, { cause });
  }
}
