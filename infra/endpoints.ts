/** One row per function: where it is found, who may call it, the settings it reads and what it is lent. */
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { SettingName } from '../functions/shared/domain/settings.ts';
import { PREFIX } from '../functions/shared/store/schema.ts';
import type { KeyRing } from './key-ring.ts';
import type { SessionsTable, UsersTable } from './tables.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Route = `${Method} /${string}`;

/** What there is to lend. */
export interface Lenders {
  readonly users: UsersTable;
  readonly sessions: SessionsTable;
  readonly keyRing: KeyRing;
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
  /** Whose rate and burst its methods have, each for itself; without it, those of every method. */
  readonly throttle?: 'login';
}

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
      'clientPrint',
      'bcryptCost',
      'corsOrigin',
    ],
    lend: (fn, { users, sessions, keyRing }) => {
      users.lendTo(
        fn,
        { actions: ['dynamodb:GetItem'], on: [PREFIX.login, PREFIX.user] },
        { actions: ['dynamodb:UpdateItem'], on: [PREFIX.login, PREFIX.attempts] },
        { actions: ['dynamodb:DeleteItem'], on: [PREFIX.attempts] },
      );
      sessions.lendTo(fn, 'dynamodb:PutItem');
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
      'clientPrint',
      'corsOrigin',
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
    settings: ['issuer', 'audience', 'accessTokenLifetime', 'sessionIdleLifetime', 'clientPrint', 'corsOrigin'],
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
    settings: ['corsOrigin'],
    lend: (fn, { sessions, keyRing }) => {
      sessions.lendTo(fn, 'dynamodb:UpdateItem');
      keyRing.lendTo(fn, 'refreshSecrets');
    },
  },
  devices: {
    routes: ['GET /api/sessions', 'DELETE /api/sessions', 'DELETE /api/sessions/{id}'],
    guard: 'bearer',
    settings: ['corsOrigin'],
    lend: (fn, { users, sessions }) => {
      users.lendTo(fn, { actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], on: [PREFIX.user] });
      sessions.lendTo(fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:Query');
    },
  },
  profile: {
    routes: ['GET /api/profile'],
    guard: 'bearer',
    settings: ['corsOrigin'],
    lend: (fn, { users, sessions }) => {
      users.lendTo(fn, { actions: ['dynamodb:GetItem'], on: [PREFIX.user] });
      sessions.lendTo(fn, 'dynamodb:GetItem');
    },
  },
  jwks: {
    routes: [
      'GET /.well-known/jwks.json',
      'GET /.well-known/openid-configuration',
      'GET /.well-known/oauth-authorization-server',
    ],
    guard: 'open',
    settings: ['issuer', 'corsOrigin'],
    lend: (fn, { keyRing }) => keyRing.lendPublicKeysTo(fn),
  },
} as const satisfies Record<string, Endpoint>;

/** Functions that no route of their own leads to. */
export const UNROUTED = {
  authorizer: {
    timeoutSeconds: 5,
    settings: ['issuer', 'audience', 'accessTokenLifetime'],
  },
  fallback: {
    settings: ['corsOrigin'],
  },
  'make-keys': {
    timeoutSeconds: 60,
    settings: ['signingAlgorithm', 'accessTokenLifetime'],
    lend: (fn, { keyRing }) => keyRing.lendForMaking(fn),
  },
} as const satisfies Record<string, FunctionRow>;

/** The methods that each path answers, as `fallback` needs them for 404, 405 and 308: `{"/api/token":["POST"]}`. */
export function methodsByPath(): Record<string, string[]> {
  const paths: Record<string, string[]> = {};
  for (const { routes } of Object.values<Endpoint>(ENDPOINTS)) {
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
