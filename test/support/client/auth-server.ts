/** The token routes in memory, in both modes, with the deployed session rule, for clients under a faked clock. */
import { Refusal } from '../../../functions/shared/domain/refusal.ts';
import { renewal } from '../../../functions/shared/domain/renewal.ts';
import { newSession, type ClientPrint, type Session } from '../../../functions/shared/domain/session.ts';
import type { Counter, SessionId, UserId } from '../../../functions/shared/domain/ids.ts';
import { unixSeconds } from '../../../functions/shared/domain/time.ts';
import { membersOf } from '../template.ts';

/**
 * What happens to a request on its way. `offline`: it never arrives. `cut`: the server does it, and the answer is lost.
 * `torn`: the
 * head of the answer arrives, with its cookies, and its body does not. `portal`: somebody else answers 401, without our words. `page`: somebody else answers 200 with a web page. A number: the
 * server's own 5xx or 429. `silence`: nothing ever comes.
 */
export type Weather = 'clear' | 'offline' | 'cut' | 'torn' | 'portal' | 'page' | 'silence' | 429 | 500 | 503;

export interface Asked {
  readonly path: string;
  readonly authorization: string | null;
  /** What `X-Latchkey-Mode` asks for. */
  readonly mode: string | null;
  /** Which cookies came along, by name. */
  readonly cookies: ReadonlyMap<string, string>;
  readonly site: string | null;
  readonly body: string;
  readonly init: RequestInit;
}

export const BASE_URL = 'https://auth.example';
export const LIFETIME_SECONDS = 900;
const IDLE_SECONDS = 30 * 86_400;
const PRINT = 'one browser' as ClientPrint;
/** Where a refresh token is that no body has. */
export const REFRESH_COOKIE = '__Host-latchkey-refresh';
export const DEVICE_COOKIE = '__Host-latchkey-device';

type Pair = Readonly<Record<'access' | 'refresh', string>>;

interface Answer {
  readonly status: number;
  readonly members: Partial<Pair> & { readonly device_token?: string } & Readonly<Record<string, unknown>>;
}

export class AuthServer {
  readonly asked: Asked[] = [];
  /** How many sessions the rule ended because a token looked stolen. */
  thefts = 0;
  /** Of each request, in order; `clear` for those that were not told. */
  weather: (asked: Asked) => Weather = () => 'clear';
  retryAfter: string | undefined;
  /** Whether logins get a device token, as the deployed ones always do. */
  hasDevices = false;
  /** How far the server's clock is before this machine's tick, in seconds. */
  skew = 1_800_000_000;
  /** What requests wait for before they arrive, and before their answers do. */
  delay: () => Promise<void> = () => Promise.resolve();
  readonly sessions = new Map<string, Session>();
  readonly #refreshTokens = new Map<string, { sid: string; counter: Counter }>();
  #made = 0;

  readonly fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const request = new Request(input, { ...init, ...(init.body instanceof ReadableStream && { duplex: 'half' }) });
    const url = new URL(request.url);
    const asked: Asked = {
      path: url.pathname,
      authorization: request.headers.get('authorization'),
      mode: request.headers.get('x-latchkey-mode'),
      cookies: cookiesIn(request.headers.get('cookie')),
      site: request.headers.get('sec-fetch-site'),
      body: await request.text(),
      init,
    };
    const { signal } = request;
    const hasEnded = new Promise<never>((_, reject) => {
      const end = () => reject(signal.reason as Error);
      if (signal.aborted) end();
      else signal.addEventListener('abort', end);
    });
    return Promise.race([this.#answer(asked, signal), hasEnded]);
  };

  get refreshes(): number {
    return this.asked.filter(({ path }) => path === '/api/token/refresh').length;
  }

  isAlive(sid: string | undefined): boolean {
    return sid !== undefined && this.sessions.get(sid)?.revokedAt === undefined;
  }

  /** Ends a session as an operator does. */
  revoke(sid: string): void {
    this.sessions.set(sid, { ...this.sessions.get(sid)!, revokedAt: this.#now() });
  }

  #now() {
    return unixSeconds(performance.now() / 1000 + this.skew);
  }

  async #answer(asked: Asked, signal: AbortSignal): Promise<Response> {
    if (!asked.path.startsWith('/api/')) return new Response('elsewhere');
    const weather = this.weather(asked);
    await this.delay();
    if (signal.aborted) throw signal.reason as Error;
    if (weather === 'offline') throw new TypeError('fetch failed');
    if (weather === 'silence') return new Promise(() => undefined);
    this.asked.push(asked);
    if (weather === 'portal') return new Response('<h1>Welcome to the hotel</h1>', { status: 401 });
    if (weather === 'page') return new Response('<h1>Welcome to the hotel</h1>');
    if (typeof weather === 'number') {
      const headers: Record<string, string> = this.retryAfter === undefined ? {} : { 'Retry-After': this.retryAfter };
      return Response.json({ status: weather }, { status: weather, headers });
    }
    const answer = this.#does(asked);
    await this.delay();
    if (weather === 'cut') throw new TypeError('terminated');
    if (weather !== 'torn') return answer;
    const body = new ReadableStream({ start: (stream) => stream.error(new TypeError('terminated')) });
    return new Response(body, { status: answer.status, headers: answer.headers });
  }

  #does(asked: Asked): Response {
    const { path, body, authorization, mode, site, cookies } = asked;
    const does = this.#routes[path];
    if (does === undefined) {
      return this.#isGood(authorization)
        ? Response.json({ path, body, authorization })
        : inBody(refused('Given token not valid'));
    }
    if (mode === null) {
      const { refresh, device_token } = fieldsOf(asked);
      return inBody(does(asked, refresh, device_token));
    }
    if (mode !== 'cookie') return Response.json({ detail: 'Not a mode.' }, { status: 400 });
    if (site !== 'same-origin') {
      return Response.json(
        { code: 'permission_denied', detail: 'CSRF Failed: Origin checking failed.' },
        { status: 403 },
      );
    }
    return inCookies(does(asked, cookies.get(REFRESH_COOKIE), cookies.get(DEVICE_COOKIE)), path);
  }

  /** With the refresh token and the device token that came along, however they did. */
  readonly #routes: Readonly<Record<string, (asked: Asked, refresh: unknown, device: unknown) => Answer>> = {
    '/api/token': (asked, _, device) => this.#login(asked, device),
    '/api/token/refresh': ({ mode }, refresh) =>
      mode !== null && refresh === undefined
        ? {
            status: 401,
            members: { code: 'not_authenticated', detail: 'Authentication credentials were not provided.' },
          }
        : this.#refresh(refresh),
    '/api/token/blacklist': (_, refresh) => {
      const known = this.#refreshTokens.get(String(refresh));
      if (known) this.revoke(known.sid);
      return { status: 200, members: {} };
    },
    '/api/password': (asked) => this.#changePassword(asked),
  };

  #changePassword(asked: Asked): Answer {
    if (!this.#isGood(asked.authorization)) return refused('Given token not valid');
    if (fieldsOf(asked)['current_password'] !== 'right') {
      return { status: 400, members: { current_password: ['Wrong.'] } };
    }
    const { sub } = claimsIn(asked.authorization);
    for (const [sid, { userId }] of this.sessions) if (userId === sub) this.revoke(sid);
    return { status: 200, members: this.#pair(this.#begin(sub)) };
  }

  #login(asked: Asked, device: unknown): Answer {
    const { username, password } = fieldsOf(asked);
    if (password !== 'right') {
      return { status: 401, members: { code: 'no_active_account', detail: 'No active account' } };
    }
    const known = typeof device === 'string' && device.startsWith(`device.${String(username)}.`) ? device : undefined;
    const device_token = known ?? `device.${String(username)}.${(this.#made += 1)}`;
    const pair = this.#pair(this.#begin(String(username)));
    return { status: 200, members: this.hasDevices ? { ...pair, device_token } : pair };
  }

  #begin(userId: string): Session {
    const sid = `session${this.sessions.size}`;
    const user = { id: userId as UserId, epoch: 0 };
    const seen = { client: PRINT, device: { address: '', userAgent: '' } };
    const session = newSession(
      user,
      sid as SessionId,
      seen,
      { idle: IDLE_SECONDS, absolute: IDLE_SECONDS },
      this.#now(),
    );
    this.sessions.set(sid, session);
    return session;
  }

  #refresh(token: unknown): Answer {
    const known = this.#refreshTokens.get(String(token));
    const session = known && this.sessions.get(known.sid);
    if (!known || !session) return refused('Token is invalid');
    const presented = { counter: known.counter, client: PRINT, now: this.#now(), idle: IDLE_SECONDS };
    try {
      const verdict = renewal(session, presented);
      const after = verdict.kind === 'same-again' ? session : { ...session, ...verdict.change };
      this.sessions.set(known.sid, after);
      return { status: 200, members: this.#pair(after) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.reason === 'token-reused') {
        this.thefts += 1;
        this.revoke(known.sid);
      }
      return refused('Token is blacklisted');
    }
  }

  #pair(session: Session): Pair {
    const { sessionId: sid, userId: sub, current } = session;
    const iat = this.#now();
    const claims = { sub, sid, iat, exp: iat + LIFETIME_SECONDS, jti: (this.#made += 1) };
    const refresh = `refresh.${sid}.${current}`;
    this.#refreshTokens.set(refresh, { sid, counter: current });
    return { access: `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`, refresh };
  }

  #isGood(authorization: string | null): boolean {
    if (authorization === null) return false;
    const { sid, exp } = claimsIn(authorization);
    return this.isAlive(sid) && this.#now() < exp;
  }
}

const claimsIn = (authorization: string | null) =>
  JSON.parse(Buffer.from(String(authorization).split('.')[1]!, 'base64url').toString()) as {
    sub: string;
    sid: string;
    exp: number;
  };

const fieldsOf = ({ body }: Asked) => membersOf(JSON.parse(body || '{}'));

const refused = (detail: string): Answer => ({ status: 401, members: { code: 'token_not_valid', detail } });

const inBody = ({ status, members }: Answer) => Response.json(members, { status });

/** The answer with its tokens in cookies, and a log out's with none. A refused call clears nothing. */
function inCookies({ status, members }: Answer, path: string): Response {
  const { refresh, device_token, ...rest } = members;
  const headers = new Headers();
  const set = (name: string, value: string | undefined, seconds: number) => {
    const terms = `Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;
    if (value !== undefined) headers.append('Set-Cookie', `${name}=${value}; ${terms}`);
  };
  set(
    REFRESH_COOKIE,
    path === '/api/token/blacklist' ? '' : refresh,
    path === '/api/token/blacklist' ? 0 : IDLE_SECONDS,
  );
  set(DEVICE_COOKIE, device_token, IDLE_SECONDS);
  return Response.json(rest, { status, headers });
}

/** The cookies of a request's header. */
function cookiesIn(header: string | null): ReadonlyMap<string, string> {
  const pairs = header === null ? [] : header.split('; ');
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
