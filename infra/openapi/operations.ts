/** What each route does, in words and shapes. The description of the API is not made while a route of it is not here. */
import type { Reason } from '../../functions/shared/domain/refusal.ts';
import type { Route } from '../endpoints.ts';
import type { Schema, SchemaName } from './schemas.ts';

export type Tag = 'Tokens' | 'Account' | 'Sessions' | 'Discovery';

export interface Operation {
  /** Unique: generators name functions after it. */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  /** The body, as JSON or as a form. */
  readonly takes?: SchemaName;
  readonly parameters?: readonly Schema[];
  readonly success: {
    readonly status: 200 | 201 | 204;
    readonly description: string;
    readonly schema?: SchemaName;
    /** `application/json` unless told. */
    readonly mediaType?: string;
    /** Whether `If-None-Match` may be answered with a 304. */
    readonly isCached?: true;
  };
  /** What differs where the refresh token travels in a cookie; absent where none travels. */
  readonly inCookieMode?: {
    /** Whether the cookie stands for the body. */
    readonly takesCookie?: true;
    readonly answers: SchemaName;
    readonly sets: string;
    readonly refusals?: readonly Reason[];
  };
  /** Beyond those of every body, and of every bearer token. */
  readonly refusals?: readonly Reason[];
}

const ofRefreshTokens = ['token-malformed', 'token-wrong-type', 'token-expired'] as const satisfies readonly Reason[];
const ofSessions = ['token-reused', 'unknown-session', 'session-expired'] as const satisfies readonly Reason[];

const pair = (description: string) => ({ status: 200, description, schema: 'Pair' }) as const;
const done = (description: string) => ({ status: 200, description, schema: 'Nothing' }) as const;
const ended = (description: string) => ({ status: 204, description }) as const;
const discovered = (description: string, schema: SchemaName, mediaType = 'application/json') =>
  ({ status: 200, description, schema, mediaType, isCached: true }) as const;

export const OPERATIONS: Readonly<Partial<Record<Route, Operation>>> = {
  'POST /api/token': {
    id: 'login',
    tag: 'Tokens',
    summary: 'Log in',
    description: 'Begins a session. Every refusal looks the same, whether the name exists or not.',
    takes: 'Credentials',
    success: { status: 200, description: 'The tokens of the new session.', schema: 'NewSession' },
    inCookieMode: { answers: 'AccessToken', sets: 'The refresh token, and the token of the device.' },
    refusals: ['wrong-password', 'too-many-from-address'],
  },
  'POST /api/token/refresh': {
    id: 'refresh',
    tag: 'Tokens',
    summary: 'Get the next pair of a session',
    description:
      'The presented token stops working, unless the answer gets lost: it may come again within 30 seconds, or as long as nobody used its successor.',
    takes: 'RefreshToken',
    success: pair('The next tokens of the session.'),
    inCookieMode: {
      takesCookie: true,
      answers: 'AccessToken',
      sets: 'The refresh token.',
      refusals: ['no-credentials'],
    },
    refusals: [...ofRefreshTokens, ...ofSessions, 'account-disabled'],
  },
  'POST /api/token/verify': {
    id: 'verify',
    tag: 'Tokens',
    summary: 'Ask whether a token is good at this moment',
    description: 'Says no to a token of a session that has ended, which its signature cannot tell.',
    takes: 'AnyToken',
    success: done('The token is good.'),
    refusals: [...ofRefreshTokens, ...ofSessions, 'account-disabled'],
  },
  'POST /api/token/blacklist': {
    id: 'logout',
    tag: 'Tokens',
    summary: 'Log out',
    description:
      'Ends the session, with any refresh token it ever had; 200 also where it had ended. In cookie mode 200 also without a token, or with one that is none of ours.',
    takes: 'RefreshToken',
    success: done('The session has ended.'),
    inCookieMode: { takesCookie: true, answers: 'Nothing', sets: 'Makes the browser forget the refresh token.' },
    refusals: [...ofRefreshTokens],
  },
  'GET /api/profile': {
    id: 'readProfile',
    tag: 'Account',
    summary: 'Read the profile of the caller',
    success: { status: 200, description: 'The profile.', schema: 'Profile' },
  },
  'PATCH /api/profile': {
    id: 'changeProfile',
    tag: 'Account',
    summary: 'Change the profile of the caller',
    description:
      'Members that are not sent stay as they are; null takes a value away. An email address is pending until the code that was mailed to it comes back.',
    takes: 'ProfileChange',
    success: { status: 200, description: 'The profile as it is now.', schema: 'Profile' },
    refusals: ['too-many-guesses'],
  },
  'DELETE /api/profile': {
    id: 'deleteAccount',
    tag: 'Account',
    summary: 'Delete the account of the caller',
    description: 'Everything that is kept of it goes with it, its sessions first.',
    takes: 'CurrentPassword',
    success: ended('The account is gone.'),
    refusals: ['too-many-guesses'],
  },
  'GET /api/profile/export': {
    id: 'exportAccount',
    tag: 'Account',
    summary: 'Take along everything that is kept of the caller',
    success: { status: 200, description: 'A download.', schema: 'Export' },
  },
  'POST /api/email/verify': {
    id: 'verifyEmail',
    tag: 'Account',
    summary: 'Confirm an email address with the code that was mailed to it',
    description: 'Only where mails are set up.',
    takes: 'MailedCode',
    success: done('The address is verified.'),
    refusals: ['email-taken'],
  },
  'POST /api/password/reset': {
    id: 'askForReset',
    tag: 'Account',
    summary: 'Have a code mailed that lets one choose a new password',
    description: 'Only where mails are set up. The answer is the same for every address, and takes as long.',
    takes: 'Address',
    success: done('If an account has verified the address, a mail is on its way.'),
  },
  'POST /api/password/reset/confirm': {
    id: 'resetPassword',
    tag: 'Account',
    summary: 'Choose a new password with a mailed code',
    description: 'Only where mails are set up. Ends every session.',
    takes: 'NewPassword',
    success: done('The password is changed.'),
  },
  'POST /api/password': {
    id: 'changePassword',
    tag: 'Account',
    summary: 'Change the password of the caller',
    description: 'Ends every session, this one included, and begins a new one.',
    takes: 'PasswordChange',
    success: pair('The tokens of the new session.'),
    inCookieMode: { answers: 'AccessToken', sets: 'The refresh token.' },
    refusals: ['too-many-guesses'],
  },
  'POST /api/users': {
    id: 'register',
    tag: 'Account',
    summary: 'Make an account',
    description:
      'Only where registration is on. An email address is pending until the code that was mailed to it comes back.',
    takes: 'NewUser',
    success: { status: 201, description: 'The profile of the new account.', schema: 'Profile' },
    refusals: ['username-taken', 'too-many-from-address', 'too-many-guesses'],
  },
  'GET /api/sessions': {
    id: 'listSessions',
    tag: 'Sessions',
    summary: 'List the living sessions of the caller, newest login first',
    parameters: [
      {
        name: 'limit',
        in: 'query',
        description: 'How many at the most.',
        schema: { type: 'integer', minimum: 1, maximum: 50, default: 50 },
      },
      { name: 'cursor', in: 'query', description: 'Where the page begins; `next` has it.', schema: { type: 'string' } },
    ],
    success: { status: 200, description: 'A page. It can be shorter than its limit.', schema: 'Sessions' },
    refusals: ['invalid-fields'],
  },
  'DELETE /api/sessions': {
    id: 'endSessions',
    tag: 'Sessions',
    summary: 'End all sessions of the caller, or all others',
    parameters: [
      {
        name: 'except',
        in: 'query',
        description: 'Keeps the session that asks.',
        schema: { type: 'string', enum: ['current'] },
      },
    ],
    success: ended('The sessions have ended.'),
    refusals: ['invalid-fields'],
  },
  'DELETE /api/sessions/{id}': {
    id: 'endSession',
    tag: 'Sessions',
    summary: 'End one session of the caller',
    parameters: [
      { name: 'id', in: 'path', required: true, description: 'As the list has it.', schema: { type: 'string' } },
    ],
    success: ended('The session has ended.'),
    refusals: ['not-found'],
  },
  'GET /.well-known/jwks.json': {
    id: 'readKeys',
    tag: 'Discovery',
    summary: 'Read the public keys that verify access tokens',
    success: discovered('The key set.', 'KeySet', 'application/jwk-set+json'),
  },
  'GET /.well-known/openid-configuration': {
    id: 'readOpenIdConfiguration',
    tag: 'Discovery',
    summary: 'Read the metadata of the issuer (OpenID Connect Discovery)',
    success: discovered('The metadata.', 'Metadata'),
  },
  'GET /.well-known/oauth-authorization-server': {
    id: 'readAuthorizationServer',
    tag: 'Discovery',
    summary: 'Read the metadata of the issuer (RFC 8414)',
    success: discovered('The metadata.', 'Metadata'),
  },
  'GET /openapi.json': {
    id: 'readDescription',
    tag: 'Discovery',
    summary: 'Read this description of the API',
    success: { status: 200, description: 'An OpenAPI 3.1 document.', schema: 'Description' },
  },
};
