/** One row per function: where it is found, who may call it, the settings it reads and what it is lent. */
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { SettingName } from '../functions/shared/domain/settings.ts';
import { PREFIX } from '../functions/shared/store/schema.ts';
import type { Deployment } from './deployment-settings.ts';
import type { KeyRing } from './key-ring.ts';
import type { Mail } from './mail.ts';
import type { SessionsTable, UsersTable } from './tables.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Route = `${Method} /${string}`;

/** What there is to lend. */
export interface Lenders {
  readonly users: UsersTable;
  readonly sessions: SessionsTable;
  readonly keyRing: KeyRing;
  readonly mail: Mail;
}

export interface FunctionRow {
  readonly settings: readonly (SettingName | 'issuer')[];
  readonly memory?: 'loginMemory';
  readonly timeoutSeconds?: number;
  /** How many of it may run at once, so that it cannot take all that the account has. */
  readonly reservedConcurrency?: 'loginReservedConcurrency';
  readonly lend?: (fn: LambdaFunction, lenders: Lenders) => void;
}

export interface Endpoint extends FunctionRow {
  readonly routes: readonly Route[];
  /** `bearer`: the authorizer stands in front; `open`: anyone may call it. */
  readonly guard: 'open' | 'bearer';
  /** Where it says no, neither the routes nor the function are there. */
  readonly when?: (deployment: Deployment) => boolean;
  /** A page for people, which the description of the API leaves out. */
  readonly isPage?: true;
  /** Whose rate and burst its methods have, each for itself; without it, those of every method. */
  readonly throttle?: 'login';
}

/** Nothing leads to the routes of mailed codes where no mail is sent. */
const sendsMail = ({ mailIdentity }: Deployment): boolean => mailIdentity !== undefined;

/** What every function that answers a request reads, because pages of other origins read its answers. */
const OF_BROWSERS = ['corsOrigin', 'cookieMode'] as const;

export const ENDPOINTS = {
  login: {
    routes: ['POST /api/token'],
    guard: 'open',
    throttle: 'login',
    memory: 'loginMemory',
    reservedConcurrency: 'loginReservedConcurrency',
    settings: [
      'issuer',
      'audience',
      'clientId',
      'accessTokenLifetime',
      'sessionIdleLifetime',
      'sessionLifetime',
      'sessionsPerUser',
      'loginsPerAddress',
      'clientPrint',
      'bcryptCost',
      ...OF_BROWSERS,
    ],
    lend: (fn, { users, sessions, keyRing }) => {
      users.lendTo(
        fn,
        { actions: ['dynamodb:GetItem'], on: [PREFIX.login, PREFIX.user] },
        { actions: ['dynamodb:UpdateItem'], on: [PREFIX.login, PREFIX.attempts] },
        { actions: ['dynamodb:DeleteItem'], on: [PREFIX.attempts] },
      );
      sessions.lendTo(fn, 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:DeleteItem');
      keyRing.lendTo(fn, 'signingKeys', 'refreshSecrets', 'peppers');
    },
  },
  refresh: {
    routes: ['POST /api/token/refresh'],
    guard: 'open',
    settings: [
      'issuer',
      'audience',
      'clientId',
      'accessTokenLifetime',
      'sessionIdleLifetime',
      'endedSessionsKept',
      'clientPrint',
      ...OF_BROWSERS,
    ],
    lend: (fn, { users, sessions, keyRing }) => {
      users.lendTo(fn, { actions: ['dynamodb:GetItem'], on: [PREFIX.user] });
      sessions.lendTo(fn, 'dynamodb:UpdateItem');
      keyRing.lendTo(fn, 'signingKeys', 'refreshSecrets');
    },
  },
  verify: {
    routes: ['POST /api/token/verify'],
    guard: 'open',
    settings: ['issuer', 'audience', 'accessTokenLifetime', 'sessionIdleLifetime', 'clientPrint', ...OF_BROWSERS],
    lend: (fn, { users, sessions, keyRing }) => {
      users.lendTo(fn, { actions: ['dynamodb:GetItem'], on: [PREFIX.user] });
      sessions.lendTo(fn, 'dynamodb:GetItem');
      keyRing.lendTo(fn, 'refreshSecrets');
      keyRing.lendPublicKeysTo(fn);
    },
  },
  blacklist: {
    routes: ['POST /api/token/blacklist'],
    guard: 'open',
    settings: ['endedSessionsKept', ...OF_BROWSERS],
    lend: (fn, { sessions, keyRing }) => {
      sessions.lendTo(fn, 'dynamodb:UpdateItem');
      keyRing.lendTo(fn, 'refreshSecrets');
    },
  },
  register: {
    routes: ['POST /api/users'],
    guard: 'open',
    throttle: 'login',
    when: ({ stack }) => stack.registration === 'on',
    memory: 'loginMemory',
    settings: ['bcryptCost', 'passwordMinLength', 'registrationsPerAddress', 'mailFrom', 'verifyLink', ...OF_BROWSERS],
    lend: (fn, { users, keyRing, mail }) => {
      users.lendTo(
        fn,
        { actions: ['dynamodb:PutItem'], on: [PREFIX.login, PREFIX.user, PREFIX.code] },
        { actions: ['dynamodb:UpdateItem'], on: [PREFIX.attempts] },
      );
      keyRing.lendTo(fn, 'peppers');
      mail.lendTo(fn);
    },
  },
  devices: {
    routes: ['GET /api/sessions', 'DELETE /api/sessions', 'DELETE /api/sessions/{id}'],
    guard: 'bearer',
    settings: ['endedSessionsKept', ...OF_BROWSERS],
    lend: (fn, { users, sessions }) => {
      users.lendTo(fn, { actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], on: [PREFIX.user] });
      sessions.lendTo(fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:Query');
    },
  },
  password: {
    routes: ['POST /api/password'],
    guard: 'bearer',
    throttle: 'login',
    memory: 'loginMemory',
    settings: [
      'issuer',
      'audience',
      'clientId',
      'accessTokenLifetime',
      'sessionIdleLifetime',
      'sessionLifetime',
      'clientPrint',
      'bcryptCost',
      'passwordMinLength',
      ...OF_BROWSERS,
    ],
    lend: (fn, { users, sessions, keyRing }) => {
      users.lendTo(
        fn,
        { actions: ['dynamodb:GetItem'], on: [PREFIX.user, PREFIX.login] },
        { actions: ['dynamodb:UpdateItem'], on: [PREFIX.user, PREFIX.login, PREFIX.attempts] },
        { actions: ['dynamodb:DeleteItem'], on: [PREFIX.attempts] },
      );
      sessions.lendTo(fn, 'dynamodb:GetItem', 'dynamodb:PutItem');
      keyRing.lendTo(fn, 'signingKeys', 'refreshSecrets', 'peppers');
    },
  },
  profile: {
    routes: ['GET /api/profile'],
    guard: 'bearer',
    settings: [...OF_BROWSERS],
    lend: (fn, { users, sessions }) => {
      users.lendTo(fn, { actions: ['dynamodb:GetItem'], on: [PREFIX.user] });
      sessions.lendTo(fn, 'dynamodb:GetItem');
    },
  },
  account: {
    routes: ['PATCH /api/profile', 'DELETE /api/profile', 'GET /api/profile/export'],
    guard: 'bearer',
    throttle: 'login',
    memory: 'loginMemory',
    settings: ['bcryptCost', 'mailFrom', 'verifyLink', ...OF_BROWSERS],
    lend: (fn, { users, sessions, keyRing, mail }) => {
      users.lendTo(
        fn,
        { actions: ['dynamodb:GetItem'], on: [PREFIX.user, PREFIX.login] },
        { actions: ['dynamodb:UpdateItem'], on: [PREFIX.user, PREFIX.attempts] },
        { actions: ['dynamodb:PutItem'], on: [PREFIX.code] },
        { actions: ['dynamodb:DeleteItem'], on: [PREFIX.user, PREFIX.login, PREFIX.email, PREFIX.attempts] },
      );
      sessions.lendTo(fn, 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:DeleteItem');
      keyRing.lendTo(fn, 'peppers');
      mail.lendTo(fn);
    },
  },
  'verify-email': {
    routes: ['POST /api/email/verify'],
    guard: 'open',
    when: sendsMail,
    settings: [...OF_BROWSERS],
    lend: (fn, { users }) => {
      users.lendTo(
        fn,
        { actions: ['dynamodb:GetItem'], on: [PREFIX.code, PREFIX.user] },
        { actions: ['dynamodb:UpdateItem'], on: [PREFIX.user] },
        { actions: ['dynamodb:PutItem'], on: [PREFIX.email] },
        { actions: ['dynamodb:DeleteItem'], on: [PREFIX.code, PREFIX.email, PREFIX.attempts] },
      );
    },
  },
  'reset-password': {
    routes: ['POST /api/password/reset'],
    guard: 'open',
    throttle: 'login',
    when: sendsMail,
    settings: ['mailFrom', 'resetLink', 'resetAnswerTime', ...OF_BROWSERS],
    lend: (fn, { users, mail }) => {
      users.lendTo(
        fn,
        { actions: ['dynamodb:GetItem'], on: [PREFIX.email, PREFIX.user] },
        { actions: ['dynamodb:UpdateItem'], on: [PREFIX.attempts] },
        { actions: ['dynamodb:PutItem'], on: [PREFIX.code] },
      );
      mail.lendTo(fn);
    },
  },
  'confirm-reset': {
    routes: ['POST /api/password/reset/confirm'],
    guard: 'open',
    throttle: 'login',
    when: sendsMail,
    memory: 'loginMemory',
    settings: ['bcryptCost', 'passwordMinLength', 'mailFrom', ...OF_BROWSERS],
    lend: (fn, { users, keyRing, mail }) => {
      users.lendTo(
        fn,
        { actions: ['dynamodb:GetItem'], on: [PREFIX.code, PREFIX.user] },
        { actions: ['dynamodb:UpdateItem'], on: [PREFIX.login, PREFIX.user] },
        { actions: ['dynamodb:DeleteItem'], on: [PREFIX.code, PREFIX.attempts] },
      );
      keyRing.lendTo(fn, 'peppers');
      mail.lendTo(fn);
    },
  },
  jwks: {
    routes: [
      'GET /.well-known/jwks.json',
      'GET /.well-known/openid-configuration',
      'GET /.well-known/oauth-authorization-server',
    ],
    guard: 'open',
    settings: ['issuer', ...OF_BROWSERS],
    lend: (fn, { keyRing }) => keyRing.lendPublicKeysTo(fn),
  },
  openapi: {
    routes: ['GET /openapi.json'],
    guard: 'open',
    settings: [...OF_BROWSERS],
  },
  docs: {
    routes: ['GET /docs', 'GET /docs/{file}'],
    guard: 'open',
    isPage: true,
    when: ({ stack }) => stack.docs === 'on',
    settings: [...OF_BROWSERS],
  },
  demo: {
    routes: ['GET /', 'GET /demo/{file}'],
    guard: 'open',
    isPage: true,
    when: ({ stack }) => stack.demoPage === 'on',
    settings: [...OF_BROWSERS],
  },
} as const satisfies Record<string, Endpoint>;

/** Functions that no route of their own leads to. */
export const UNROUTED = {
  authorizer: {
    timeoutSeconds: 5,
    settings: ['issuer', 'audience', 'accessTokenLifetime', 'keySetUsableFor'],
  },
  fallback: {
    settings: [...OF_BROWSERS],
  },
  'make-keys': {
    timeoutSeconds: 60,
    settings: ['signing', 'signingAlgorithm', 'accessTokenLifetime', 'keyPublicationTime', 'keyMaxStale'],
    lend: (fn, { keyRing }) => keyRing.lendForMaking(fn),
  },
  'rotate-keys': {
    timeoutSeconds: 60,
    settings: [
      'signing',
      'signingAlgorithm',
      'accessTokenLifetime',
      'sessionLifetime',
      'keyPublicationTime',
      'keyMaxStale',
    ],
    lend: (fn, { keyRing }) => keyRing.lendForRotating(fn),
  },
} as const satisfies Record<string, FunctionRow>;

/** The endpoints that a deployment has, by name. */
export const endpointsOf = (deployment: Deployment): [string, Endpoint][] =>
  Object.entries<Endpoint>(ENDPOINTS).filter(([, { when }]) => when?.(deployment) ?? true);

/** The methods that each path answers, as `fallback` needs them for 404, 405 and 308: `{"/api/token":["POST"]}`. */
export function methodsByPath(deployment: Deployment): Record<string, string[]> {
  const paths: Record<string, string[]> = {};
  for (const [, { routes }] of endpointsOf(deployment)) {
    for (const route of routes) {
      const { method, path } = partsOf(route);
      (paths[path] ??= []).push(method);
    }
  }
  return paths;
}

/** Splits `POST /api/token`. */
export function partsOf(route: Route): { readonly method: string; readonly path: string } {
  const space = route.indexOf(' ');
  return { method: route.slice(0, space), path: route.slice(space + 1) };
}
