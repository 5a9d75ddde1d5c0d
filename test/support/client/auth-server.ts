/** The token routes in memory, with the deployed session rule, for clients under a faked clock. */
import { Refusal } from '../../../functions/shared/domain/refusal.ts';
import { renewal } from '../../../functions/shared/domain/renewal.ts';
import { newSession, type ClientPrint, type Session } from '../../../functions/shared/domain/session.ts';
import type { Counter, SessionId, UserId } from '../../../functions/shared/domain/ids.ts';
import { unixSeconds } from '../../../functions/shared/domain/time.ts';
import { membersOf } from '../template.ts';

/**
 * What happens to a request on its way. `offline`: it never arrives. `cut`: the server does it, and the answer is lost.
 * `portal`: somebody else answers 401, without our words. `page`: somebody else answers 200 with a web page. A number: the
 * server's own 5xx or 429. `silence`: nothing ever comes.
 */
export type Weather = 'clear' | 'offline' | 'cut' | 'portal' | 'page' | 'silence' | 429 | 500 | 503;

export interface Asked {
  readonly path: string;
  readonly authorization: string | null;
  readonly body: string;
  readonly init: RequestInit;
}

export const BASE_URL = 'https://auth.example';
export const LIFETIME_SECONDS = 900;
const IDLE_SECONDS = 30 * 86_400;
const PRINT = 'one browser' as ClientPrint;

export class AuthServer {
  readonly asked: Asked[] = [];
  /** How many sessions the rule ended because a token looked stolen. */
  thefts = 0;
  /** Of each request, in order; `clear` for those that were not told. */
  weather: (asked: Asked) => Weather = () => 'clear';
  retryAfter: string | undefined;
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
    return answer;
  }

  #does({ path, body, authorization }: Asked): Response {
    if (path === '/api/token') return this.#login(body);
    if (path === '/api/token/refresh') return this.#refresh(String(membersOf(JSON.parse(body))['refresh']));
    if (path === '/api/token/blacklist') {
      const known = this.#refreshTokens.get(String(membersOf(JSON.parse(body))['refresh']));
      if (known) this.revoke(known.sid);
      return Response.json({});
    }
    return this.#isGood(authorization)
      ? Response.json({ path, body, authorization })
      : refused('Given token not valid');
  }

  #login(body: string): Response {
    if (membersOf(JSON.parse(body))['password'] !== 'right') {
      return Response.json({ code: 'no_active_account', detail: 'No active account' }, { status: 401 });
    }
    const { username } = membersOf(JSON.parse(body));
    const sid = `session${this.sessions.size}`;
    const user = { id: String(username) as UserId, epoch: 0 };
    const seen = { client: PRINT, device: { address: '', userAgent: '' } };
    const session = newSession(
      user,
      sid as SessionId,
      seen,
      { idle: IDLE_SECONDS, absolute: IDLE_SECONDS },
      this.#now(),
    );
    this.sessions.set(sid, session);
    return Response.json(this.#pair(session));
  }

  #refresh(token: string): Response {
    const known = this.#refreshTokens.get(token);
    const session = known && this.sessions.get(known.sid);
    if (!known || !session) return refused('Token is invalid');
    const presented = { counter: known.counter, client: PRINT, now: this.#now(), idle: IDLE_SECONDS };
    try {
      const verdict = renewal(session, presented);
      const after = verdict.kind === 'same-again' ? session : { ...session, ...verdict.change };
      this.sessions.set(known.sid, after);
      return Response.json(this.#pair(after));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.reason === 'token-reused') {
        this.thefts += 1;
        this.revoke(known.sid);
      }
      return refused('Token is blacklisted');
    }
  }

  #pair(session: Session) {
    const { sessionId: sid, userId: sub, current } = session;
    const iat = this.#now();
    const claims = { sub, sid, iat, exp: iat + LIFETIME_SECONDS, jti: (this.#made += 1) };
    const refresh = `refresh.${sid}.${current}`;
    this.#refreshTokens.set(refresh, { sid, counter: current });
    return { access: `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`, refresh };
  }

  #isGood(authorization: string | null): boolean {
    if (authorization === null) return false;
    const claims = JSON.parse(Buffer.from(authorization.split('.')[1]!, 'base64url').toString()) as {
      sid: string;
      exp: number;
    };
    return this.isAlive(claims.sid) && this.#now() < claims.exp;
  }
}

const refused = (detail: string) => Response.json({ code: 'token_not_valid', detail }, { status: 401 });
