import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { Refusal } from '../domain/refusal.ts';
import type { Seconds } from '../domain/time.ts';
import { membersOfJson, timeIn } from '../domain/unknown.ts';
import { now } from '../runtime/clock.ts';
import { stringsIn } from './body.ts';
import { cookiesIn, setCookie, withCookies, type CookieName } from './cookies.ts';
import { asksForCookies, isInCookieMode } from './mode.ts';
import { json } from './reply.ts';

/** Tokens on their way to a client. */
export interface Tokens {
  readonly access: string;
  readonly refresh: string;
  readonly device_token?: string;
}

/** How a refresh token, and the token of a device, travel: the one place that knows whether in bodies or in cookies. */
export interface Carriage {
  /** The refresh token of a request. @throws {Refusal} where there is none */
  refreshToken(event: APIGatewayProxyEvent): string;
  /** The token of the device that logs in, if it has one. @param inBody what the body says of it */
  deviceToken(event: APIGatewayProxyEvent, inBody: string | undefined): string | undefined;
  /** The answer that hands tokens over. */
  handOver(tokens: Tokens): APIGatewayProxyResult;
  /** Ends the session of a request. @param end takes its refresh token */
  logOut(event: APIGatewayProxyEvent, end: (token: string) => Promise<void>): Promise<APIGatewayProxyResult>;
}

const REFRESH: CookieName = '__Host-latchkey-refresh';
const DEVICE: CookieName = '__Host-latchkey-device';

const inBodies: Carriage = {
  refreshToken: (event) => stringsIn(event, 'refresh').refresh,
  deviceToken: (_event, inBody) => inBody,
  handOver: (tokens) => json(200, tokens),
  async logOut(event, end) {
    await end(inBodies.refreshToken(event));
    return json(200, {});
  },
};

const inCookies: Carriage = {
  refreshToken(event) {
    const [token, second] = cookiesIn(event, REFRESH);
    if (token === undefined) throw new Refusal('no-credentials');
    // No browser has two of this name: somebody put one there.
    if (second !== undefined) throw new Refusal('token-malformed');
    return token;
  },
  deviceToken(event) {
    const [token, second] = cookiesIn(event, DEVICE);
    // It lets nobody in, and a wrong one is no more than none.
    return second === undefined ? token : undefined;
  },
  handOver: ({ access, refresh, device_token }) =>
    withCookies(json(200, { access }), [
      cookieOf(REFRESH, refresh),
      ...(device_token === undefined ? [] : [cookieOf(DEVICE, device_token)]),
    ]),
  async logOut(event, end) {
    try {
      await end(inCookies.refreshToken(event));
    } catch (error) {
      // Without a cookie, or with a dead one, its user is out already.
      if (!(error instanceof Refusal)) throw error;
    }
    return json(200, {});
  },
};

/**
 * How the tokens of a request travel. It is asked before anything else of the request is looked at.
 *
 * @throws {Refusal} as {@link isInCookieMode}
 */
export const carriageOf = (event: APIGatewayProxyEvent): Carriage => (isInCookieMode(event) ? inCookies : inBodies);

/**
 * The answer to a log out, with which a browser forgets the refresh token: also while something of ours is out of reach and the
 * session goes on there, because whoever logs out on somebody else's machine must not be in again after a reload. A request
 * that was refused changes nothing.
 */
export const forgetting = (event: APIGatewayProxyEvent, answer: APIGatewayProxyResult): APIGatewayProxyResult =>
  asksForCookies(event) && (answer.statusCode === 200 || answer.statusCode >= 500)
    ? withCookies(answer, [setCookie(REFRESH, '', 0)])
    : answer;

/** A cookie that the browser keeps for as long as its token lives. */
const cookieOf = (name: CookieName, token: string): string => setCookie(name, token, lifeOf(token));

/** How long a token that we have just made lives from now on. */
function lifeOf(token: string): Seconds {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  return timeIn(membersOfJson(payload), 'exp') - now();
}
