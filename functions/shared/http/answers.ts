import type { Reason } from '../domain/refusal.ts';

/** How a refusal looks from outside. */
export interface Answer {
  readonly status: number;
  readonly detail: string;
  /** Simple JWT's machine-readable word for it. */
  readonly code?: string;
  /** What the challenge of a 401 or 403 says beyond the realm (RFC 6750 section 3). */
  readonly challenge?: 'invalid_token' | 'insufficient_scope';
}

/** One answer for every reason a login is refused, so that nobody can tell which names have accounts. */
const badLogin: Answer = {
  status: 401,
  detail: 'No active account found with the given credentials',
  code: 'no_active_account',
};

const badToken = (detail: string): Answer => ({
  status: 401,
  detail,
  code: 'token_not_valid',
  challenge: 'invalid_token',
});

const accountOfTokenGone: Answer = {
  ...badToken('No active account found for the given token.'),
  code: 'no_active_account',
};

/** The texts and codes are Django REST Framework's and Simple JWT's where they have one. */
export const answers = {
  'malformed-body': { status: 400, detail: 'Malformed request body.', code: 'parse_error' },
  'not-an-object': { status: 400, detail: 'Invalid data. Expected an object.' },
  'unsupported-media-type': { status: 415, detail: 'Unsupported media type "{shown}" in request.' },
  'body-too-large': { status: 413, detail: 'The request body is larger than 16 KB.' },
  'invalid-fields': { status: 400, detail: 'Some fields are missing or not valid.' },
  'unknown-user': badLogin,
  'wrong-password': badLogin,
  'user-disabled': badLogin,
  'too-many-attempts': badLogin,
  'too-many-guesses': { status: 429, detail: 'Request was throttled.', code: 'throttled' },
  'too-many-from-address': { status: 429, detail: 'Request was throttled.', code: 'throttled' },
  'username-taken': { status: 409, detail: 'The username is taken.', code: 'username_taken' },
  'token-malformed': badToken('Token is invalid'),
  'token-forged': badToken('Token is invalid'),
  'token-wrong-type': badToken('Token has wrong type'),
  'token-expired': badToken('Token is expired'),
  'token-reused': badToken('Token is blacklisted'),
  'unknown-session': badToken('Token is invalid'),
  'session-revoked': badToken('Token is blacklisted'),
  'session-expired': badToken('Token is expired'),
  'session-superseded': badToken('Token is blacklisted'),
  'account-gone': accountOfTokenGone,
  'account-disabled': accountOfTokenGone,
  'bearer-refused': badToken('Given token not valid for any token type'),
  'no-credentials': {
    status: 401,
    detail: 'Authentication credentials were not provided.',
    code: 'not_authenticated',
  },
  'unknown-mode': { status: 400, detail: 'The header X-Latchkey-Mode takes the word "cookie", or is left out.' },
  'cookie-mode-off': { status: 400, detail: 'Cookie mode is off here: leave out the header X-Latchkey-Mode.' },
  'cross-site-request': {
    status: 403,
    detail: 'CSRF Failed: Origin checking failed.',
    code: 'permission_denied',
  },
  'insufficient-scope': {
    status: 403,
    detail: 'You do not have permission to perform this action.',
    code: 'permission_denied',
    challenge: 'insufficient_scope',
  },
  'email-taken': { status: 409, detail: 'Another account has this email address.', code: 'email_taken' },
  'not-found': { status: 404, detail: 'Not found.', code: 'not_found' },
} satisfies Record<Reason, Answer>;
