import type { APIGatewayProxyEvent } from 'aws-lambda';
import { originsNamed } from '../domain/origins.ts';
import { Refusal } from '../domain/refusal.ts';
import { readSettings } from '../runtime/env.ts';
import { isFromOurPages, type Provenance } from './csrf.ts';
import { headerIn, wholeHeaderIn } from './request.ts';

const { cookieMode, corsOrigin } = readSettings('cookieMode', 'corsOrigin');
const origins = originsNamed(corsOrigin);

/** The header with which a request asks for cookie mode. A form cannot send it, and a page of another origin has to ask first. */
export const MODE_HEADER = 'X-Latchkey-Mode';

/** Whether a browser may be told that it can send {@link MODE_HEADER}. */
export const isCookieModeOn = cookieMode === 'on';

/** Whether a request asks for cookie mode; nothing is said yet of whether it gets it. */
export const asksForCookies = (event: APIGatewayProxyEvent): boolean =>
  wholeHeaderIn(event, MODE_HEADER.toLowerCase()) === 'cookie';

/**
 * Whether a request's refresh token travels in a cookie. Call it before anything else of a request is looked at.
 *
 * @throws {Refusal} `unknown-mode` for another word and `cookie-mode-off` where the setting is off, because whoever asked for a
 *   cookie must not get a refresh token in a body; `cross-site-request` where it comes from a page that is none of ours
 */
export function isInCookieMode(event: APIGatewayProxyEvent): boolean {
  if (wholeHeaderIn(event, MODE_HEADER.toLowerCase()) === undefined) return false;
  if (!asksForCookies(event)) throw new Refusal('unknown-mode');
  if (!isCookieModeOn) throw new Refusal('cookie-mode-off');
  if (!isFromOurPages(provenanceOf(event), origins)) throw new Refusal('cross-site-request');
  return true;
}

function provenanceOf(event: APIGatewayProxyEvent): Provenance {
  const { domainName } = event.requestContext;
  // API Gateway writes the scheme itself. Plain HTTP is for a machine of one's own; elsewhere anybody on the way can make a page.
  const scheme = headerIn(event, 'x-forwarded-proto') ?? 'https';
  return {
    site: wholeHeaderIn(event, 'sec-fetch-site'),
    origin: wholeHeaderIn(event, 'origin'),
    own: domainName === undefined ? undefined : `${scheme}://${domainName}`,
  };
}
