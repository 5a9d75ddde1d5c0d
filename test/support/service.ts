import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { decodeJwt } from 'jose';
import { LONGEST_WAIT_SECONDS } from '../../functions/shared/domain/attempts.ts';
import { after } from '../../functions/shared/domain/time.ts';
import { membersOfJson, textIn, type Members } from '../../functions/shared/domain/unknown.ts';
import type { User } from '../../functions/shared/domain/user.ts';
import { passwordsWith } from '../../functions/shared/password/hash.ts';
import { now } from '../../functions/shared/runtime/clock.ts';
import { newUserId } from '../../functions/shared/runtime/ids.ts';
import { sharedSecretsFrom } from '../../functions/shared/token/key-ring.ts';
import type { TokenPair } from '../../functions/shared/token/pair.ts';
import { SESSION_TOKEN } from '../../infra/local/lambda.ts';
import { startSecretsStandIn } from '../../infra/local/secrets-stand-in.ts';
import { type LocalMail, startSesStandIn } from '../../infra/local/ses-stand-in.ts';
import { aLogin, aUser } from './builders.ts';
import { START } from './clock.ts';
import { apiEvent, type Request } from './events.ts';
import { newKeyTexts, type KeyTexts } from './keys.ts';
import { startStoreProxy, type StoreProxy } from './store-proxy.ts';
import { startTables, type Tables } from './tables.ts';

const HANDLERS = {
  login: () => import('../../functions/login/handler.ts'),
  refresh: () => import('../../functions/refresh/handler.ts'),
  verify: () => import('../../functions/verify/handler.ts'),
  blacklist: () => import('../../functions/blacklist/handler.ts'),
  profile: () => import('../../functions/profile/handler.ts'),
  account: () => import('../../functions/account/handler.ts'),
  'verify-email': () => import('../../functions/verify-email/handler.ts'),
  'reset-password': () => import('../../functions/reset-password/handler.ts'),
  'confirm-reset': () => import('../../functions/confirm-reset/handler.ts'),
  password: () => import('../../functions/password/handler.ts'),
  register: () => import('../../functions/register/handler.ts'),
  devices: () => import('../../functions/devices/handler.ts'),
};
export type FunctionName = keyof typeof HANDLERS;
type Handler = (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;

const ROUTES: Readonly<Record<FunctionName, Pick<Request, 'method' | 'resource'>>> = {
  login: { resource: '/api/token' },
  refresh: { resource: '/api/token/refresh' },
  verify: { resource: '/api/token/verify' },
  blacklist: { resource: '/api/token/blacklist' },
  profile: { method: 'GET', resource: '/api/profile' },
  account: { method: 'PATCH', resource: '/api/profile' },
  'verify-email': { resource: '/api/email/verify' },
  'reset-password': { resource: '/api/password/reset' },
  'confirm-reset': { resource: '/api/password/reset/confirm' },
  password: { resource: '/api/password' },
  register: { resource: '/api/users' },
  devices: { method: 'GET', resource: '/api/sessions' },
};

/** What a function answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The texts of its `Set-Cookie` headers. */
  readonly cookies: readonly unknown[];
  readonly text: string;
  readonly body: Members;
}

export interface Account {
  readonly username: string;
  readonly password: string;
  readonly user: User;
}

type Environment = Readonly<Record<string, string>>;

/** The functions in this process, as their handlers, on an engine of their own behind a proxy. */
export interface Service {
  readonly tables: Tables;
  readonly proxy: StoreProxy;
  readonly keys: KeyTexts;
  /** What the functions logged. */
  readonly log: readonly string[];
  /** What the functions mailed, oldest first. */
  readonly mails: readonly LocalMail[];
  call(name: FunctionName, request: Request): Promise<Answer>;
  /** Makes an account, unless told otherwise of a new name and password. */
  account(changes?: Partial<Account>): Promise<Account>;
  /** Counts so many failed logins that the next one has to wait for fifteen minutes. */
  lock(account: Account): Promise<void>;
  /** Logs in. @throws {Error} where that is refused */
  login(account: Pick<Account, 'username' | 'password'>, request?: Request): Promise<TokenPair>;
  /**
   * Starts a function anew, with nothing in its memory.
   *
   * @param environment replaces or adds to what functions are given, for this one
   */
  restart(name: FunctionName, environment?: Environment): Promise<void>;
  /**
   * Starts a function beside the one that is called by its name, with nothing in its memory.
   *
   * @param path its calls of the store have it; from `/` on
   */
  another(name: FunctionName, path: string, environment?: Environment): Promise<(request: Request) => Promise<Answer>>;
  /** Forgets what was logged and which calls of the store were made, for a test that does very much. */
  forget(): void;
  stop(): Promise<void>;
}

export const ISSUER = 'https://issuer.example/v1';
/** Of bcrypt; the lowest there is, as these tests are not about its strength. */
export const COST = 4;

/**
 * @param environment replaces or adds to what the functions are given
 * @param given the keys, where they are to be certain ones
 */
export async function startService(
  environment: Environment = {},
  given: Promise<KeyTexts> = newKeyTexts(),
): Promise<Service> {
  const [tables, keys, secrets, ses] = await Promise.all([
    startTables(),
    given,
    startSecretsStandIn(),
    startSesStandIn(),
  ]);
  const proxy = await startStoreProxy(tables.endpoint);
  secrets.store.declareSecret('arn:signing', 'signing', keys.signing);
  secrets.store.declareSecret('arn:refresh', 'refresh', keys.refresh);
  secrets.store.declareSecret('arn:peppers', 'peppers', keys.peppers);
  secrets.store.declareParameter('/public-keys', keys.published);
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: SESSION_TOKEN,
    ISSUER,
    BCRYPT_COST: String(COST),
    // All requests of a test come from few addresses.
    LOGINS_PER_ADDRESS: '1000000',
    REGISTRATIONS_PER_ADDRESS: '1000000',
    USERS_TABLE: tables.names.users,
    SESSIONS_TABLE: tables.names.sessions,
    DYNAMODB_ENDPOINT: proxy.endpoint,
    SECRETS_ENDPOINT: secrets.endpoint,
    SIGNING_KEYS_SECRET: 'arn:signing',
    REFRESH_SECRETS_SECRET: 'arn:refresh',
    PEPPERS_SECRET: 'arn:peppers',
    PUBLIC_KEYS_PARAMETER: '/public-keys',
    MAIL_FROM: 'auth@example.com',
    SES_ENDPOINT: ses.endpoint,
    RESET_ANSWER_MILLISECONDS: '1',
    // Whatever a test is about, it is not how busy this machine is.
    PATIENCE: '20',
    ...environment,
  });

  const log: string[] = [];
  const written = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    log.push(String(text).trimEnd());
    return true;
  });
  const handlers = new Map<FunctionName, Promise<Handler>>();
  // One at a time: what a function is given is in the environment of this process.
  let starting: Promise<unknown> = Promise.resolve();
  const started = (name: FunctionName, own: Environment = {}): Promise<Handler> => {
    const start = starting.then(async () => {
      const before = Object.keys(own).map((variable) => [variable, process.env[variable]] as const);
      Object.assign(process.env, own);
      try {
        jest.resetModules();
        return (await HANDLERS[name]()).handler;
      } finally {
        for (const [variable, value] of before) {
          if (value === undefined) Reflect.deleteProperty(process.env, variable);
          else process.env[variable] = value;
        }
      }
    });
    starting = start.catch(() => undefined);
    return start;
  };
  const startedAnew = (name: FunctionName, own?: Environment): Promise<Handler> => {
    const start = started(name, own);
    handlers.set(name, start);
    return start;
  };
  const called = async (handler: Handler, name: FunctionName, request: Request): Promise<Answer> => {
    const answer = await handler(apiEvent({ ...ROUTES[name], ...request }));
    const { statusCode: status, headers = {}, multiValueHeaders = {}, body: text } = answer;
    const body = text === '' ? {} : membersOfJson(text);
    return { status, headers, cookies: multiValueHeaders['Set-Cookie'] ?? [], text, body };
  };
  const peppers = sharedSecretsFrom(keys.peppers);
  const passwords = passwordsWith(
    () => Promise.resolve(peppers),
    COST,
    () => START,
  );

  const service: Service = {
    tables,
    proxy,
    keys,
    log,
    mails: ses.mails,
    async restart(name, own) {
      await startedAnew(name, own);
    },
    forget() {
      log.splice(0);
      written.mockClear();
      proxy.clear();
    },
    async call(name, request) {
      return called(await (handlers.get(name) ?? startedAnew(name)), name, request);
    },
    async another(name, path, own = {}) {
      const handler = await started(name, { DYNAMODB_ENDPOINT: `${proxy.endpoint}${path}`, ...own });
      return (request) => called(handler, name, request);
    },
    async account(changes = {}) {
      const username = changes.username ?? `user-${randomUUID()}`;
      const password = changes.password ?? `password ${randomUUID()}`;
      const user = aUser({ id: newUserId(), username, ...changes.user });
      const { id: userId, passwordVersion } = user;
      await tables.store.setUser(user);
      await tables.store.setLogin(
        username.toLowerCase(),
        aLogin({ userId, passwordVersion, passwordHash: await passwords.hash(password) }),
      );
      return { username, password, user };
    },
    async lock({ username }) {
      // Each counts because it comes a longest wait after the one before, the last one at this moment.
      for (let earlier = 16; earlier >= 0; earlier -= 1) {
        await tables.store.countAttempt(username.toLowerCase(), after(now(), -earlier * LONGEST_WAIT_SECONDS));
      }
    },
    async login({ username, password }, request = {}) {
      const { status, body } = await service.call('login', { ...request, json: { username, password } });
      if (status !== 200) throw new Error(`the login was answered ${status}`);
      return { access: textIn(body, 'access'), refresh: textIn(body, 'refresh') };
    },
    async stop() {
      written.mockRestore();
      await proxy.stop();
      await Promise.all([tables.stop(), secrets.close(), ses.close()]);
    },
  };
  return service;
}

/** The headers of an answer with tokens or about a user, which nobody may keep. */
export const JSON_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Strict-Transport-Security': 'max-age=63072000',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'WWW-Authenticate, Retry-After',
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
};
export const PROBLEM_HEADERS = { ...JSON_HEADERS, 'Content-Type': 'application/problem+json' };

/** A problem document with the members of RFC 9457, and what else it says. */
export const problemOf = (status: number, title: string, detail: string, members: object = {}) => ({
  type: 'about:blank',
  title,
  status,
  detail,
  ...members,
});

/** The answer to a token that was presented and refused. */
export const badToken = (detail: string, code = 'token_not_valid') => ({
  status: 401,
  headers: { ...PROBLEM_HEADERS, 'WWW-Authenticate': 'Bearer realm="api", error="invalid_token"' },
  body: problemOf(401, 'Unauthorized', detail, { code }),
});

/** What the authorizer hands on of an access token it let in. */
export function authorizerContext(access: string): Readonly<Record<string, string | number>> {
  const { sub = '', sid, exp = 0 } = decodeJwt<{ sid: string }>(access);
  return { sub, sid, exp };
}
