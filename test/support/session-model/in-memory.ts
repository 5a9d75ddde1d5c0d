import { blacklist } from '../../../functions/blacklist/blacklist.ts';
import { refresh, type RefreshNeeds } from '../../../functions/refresh/refresh.ts';
import type { SessionId, UserId } from '../../../functions/shared/domain/ids.ts';
import { Outage, Refusal } from '../../../functions/shared/domain/refusal.ts';
import { RECENT_SECONDS, rotation, type Change } from '../../../functions/shared/domain/renewal.ts';
import {
  endOf,
  issuedAt,
  newSession,
  type ClientPrint,
  type Session,
} from '../../../functions/shared/domain/session.ts';
import { after, unixSeconds, type UnixSeconds } from '../../../functions/shared/domain/time.ts';
import type { User } from '../../../functions/shared/domain/user.ts';
import type { Conditional } from '../../../functions/shared/store/client.ts';
import { ACCESS_TYP, checkTimes, claimsFor, type AccessClaims } from '../../../functions/shared/token/claims.ts';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import { REFRESH_TYP, type RefreshClaims } from '../../../functions/shared/token/refresh-token.ts';
import { verify } from '../../../functions/verify/verify.ts';
import { LIFETIMES, START, type Answer, type SessionsUnderTest, type Weather } from './driver.ts';
import { Gates } from './gates.ts';

const TERMS = { issuer: 'https://issuer.example', audience: 'api', clientId: 'model', lifetime: LIFETIMES.access };

/** The refresh, verify and blacklist operations over items in memory, with tokens that are signed by nobody. */
export class InMemorySessions implements SessionsUnderTest {
  #now = unixSeconds(START);
  #user: User = {
    id: 'user' as UserId,
    username: 'user',
    status: 'active',
    roles: [],
    epoch: 0,
    passwordVersion: 0,
    createdAt: this.#now,
  };
  readonly #items = new Map<SessionId, Session>();
  readonly #refreshTokens = new Map<string, RefreshClaims>();
  readonly #accessTokens = new Map<string, AccessClaims>();

  setClock(now: number): void {
    this.#now = unixSeconds(now);
  }

  login(client: string): Promise<TokenPair> {
    const seen = { client: client as ClientPrint, device: { address: '', userAgent: '' } };
    const sessionId = `session${this.#items.size}` as SessionId;
    const session = newSession(this.#user, sessionId, seen, LIFETIMES, this.#now);
    this.#items.set(sessionId, session);
    return this.#pair(this.#user, session, this.#now);
  }

  present(token: string, client: string, weather: Weather) {
    const gates = new Gates(weather.first, everythingElse);
    const answer: Promise<Answer> = refresh(token, client as ClientPrint, this.#refreshNeeds(gates, weather)).then(
      (pair) => ({ kind: 'pair', pair }),
      (error: unknown) => {
        if (error instanceof Refusal) return { kind: 'refused' };
        if (error instanceof Outage) return { kind: 'unavailable' };
        throw error;
      },
    );
    return gates.around(answer);
  }

  async verify(token: string, client: string): Promise<boolean> {
    try {
      await verify(token, client as ClientPrint, {
        now: () => this.#now,
        readRefreshToken: this.#readRefreshToken,
        verifyAccessToken: (text, now) => Promise.resolve(read(this.#accessTokens, text, now)),
        findSession: (_, sessionId) => Promise.resolve(this.#items.get(sessionId)),
        findUser: () => Promise.resolve(this.#user),
        idle: LIFETIMES.idle,
      });
      return true;
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  }

  logOut(token: string): Promise<void> {
    const needs = {
      now: () => this.#now,
      readToken: this.#readRefreshToken,
      revokeSession: ({ sessionId }: { sessionId: SessionId }, now: UnixSeconds) =>
        Promise.resolve(this.#revoke(sessionId, now)),
      note: () => undefined,
    };
    return blacklist(token, needs).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
    });
  }

  logOutEverywhere(): Promise<void> {
    this.#user = { ...this.#user, epoch: this.#user.epoch + 1 };
    return Promise.resolve();
  }

  async logOutOthers(by: string): Promise<void> {
    await this.logOutEverywhere();
    const kept = this.#items.get(this.#claimsOf(by).sid)!;
    this.#items.set(kept.sessionId, { ...kept, epoch: this.#user.epoch });
  }

  async changePassword(_: string, client: string): Promise<TokenPair> {
    await this.logOutEverywhere();
    return this.login(client);
  }

  setActive(active: boolean): Promise<void> {
    const { epoch } = this.#user;
    this.#user = { ...this.#user, status: active ? 'active' : 'disabled', epoch: active ? epoch : epoch + 1 };
    return Promise.resolve();
  }

  backUp(token: string) {
    const item = this.#items.get(this.#claimsOf(token).sid)!;
    const restore = () => Promise.resolve(void this.#items.set(item.sessionId, item));
    return Promise.resolve({ restore });
  }

  #refreshNeeds(gates: Gates, { fault }: Weather): RefreshNeeds {
    const write = <Item>(act: () => Conditional<Item>): Promise<Conditional<Item>> =>
      gates.hold('session', () => {
        const outcomes = [act()];
        // Only the answer to a write that went through is worth losing.
        if (fault === 'heard-twice' && outcomes[0]?.done) outcomes.push(act());
        return {
          calls: outcomes.map(({ done }) => (done ? 'written' : 'not-written')),
          outcome: Promise.resolve(outcomes.at(-1)!),
        };
      });
    return {
      now: () => this.#now,
      readToken: this.#readRefreshToken,
      findUser: () =>
        gates.hold('user', () => ({
          calls: ['user-read'],
          outcome: fault === 'user-unreachable' ? Promise.reject(new Outage('users')) : Promise.resolve(this.#user),
        })),
      rotateUnread: ({ sessionId }, presented) =>
        write(() =>
          this.#change(
            sessionId,
            rotation(presented.counter, presented),
            ({ current, changedAt }) =>
              current === presented.counter &&
              (changedAt === undefined || changedAt <= after(presented.now, -RECENT_SECONDS)),
          ),
        ),
      changeSession: ({ sessionId, current, parent }, change) =>
        write(() => this.#change(sessionId, change, (item) => item.current === current && item.parent === parent)),
      revokeSession: async ({ sessionId }, now) => {
        const { done } = await write(() =>
          this.#revoke(sessionId, now) ? { done: true, item: undefined } : { done: false, found: undefined },
        );
        return done;
      },
      pair: this.#pair,
      idle: LIFETIMES.idle,
      note: () => undefined,
    };
  }

  #change(sessionId: SessionId, change: Change, stands: (item: Session) => boolean): Conditional<Session> {
    const found = this.#items.get(sessionId);
    const alive = found && found.revokedAt === undefined && endOf(found) > change.changedAt;
    if (!alive || !stands(found)) return { done: false, found };
    const item = { ...found, ...change };
    this.#items.set(sessionId, item);
    return { done: true, item };
  }

  #revoke(sessionId: SessionId, now: UnixSeconds): boolean {
    const found = this.#items.get(sessionId);
    if (!found || found.revokedAt !== undefined) return false;
    this.#items.set(sessionId, { ...found, revokedAt: now });
    return true;
  }

  readonly #pair = (user: User, session: Session, now: UnixSeconds): Promise<TokenPair> => {
    const claims: RefreshClaims = {
      sub: session.userId,
      sid: session.sessionId,
      counter: session.current,
      iat: issuedAt(session),
      exp: endOf(session),
      jti: `${session.sessionId}.${session.current}`,
    };
    const refreshToken = tokenText(REFRESH_TYP, claims);
    this.#refreshTokens.set(refreshToken, claims);
    const access = claimsFor(user, session, TERMS, String(this.#accessTokens.size), now);
    const accessToken = tokenText(ACCESS_TYP, access);
    this.#accessTokens.set(accessToken, access);
    return Promise.resolve({ access: accessToken, refresh: refreshToken });
  };

  // Refuses by a rejection, as the real reader does.
  readonly #readRefreshToken = (text: string, now: UnixSeconds): Promise<RefreshClaims> =>
    new Promise((resolve) => resolve(read(this.#refreshTokens, text, now)));

  #claimsOf(token: string): RefreshClaims {
    return read(this.#refreshTokens, token);
  }
}

/** The claims of a token that was made here, in time if a time is given. */
function read<Claims extends { iat: UnixSeconds; exp: UnixSeconds }>(
  made: ReadonlyMap<string, Claims>,
  text: string,
  now?: UnixSeconds,
): Claims {
  const claims = made.get(text);
  if (claims === undefined) throw new Refusal('token-forged');
  if (now !== undefined) checkTimes(claims.iat, claims.exp, now);
  return claims;
}

/** Lets everything run that waits for no step. In memory that takes no longer than one turn of the event loop. */
const everythingElse = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A token with the shape of ours: the same claims give the same text, and three segments of base64url. */
const tokenText = (typ: string, claims: object): string =>
  [{ alg: 'none', typ, kid: 'model' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat('c2lnbmF0dXJl')
    .join('.');
