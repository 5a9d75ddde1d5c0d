import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Seconds } from '../domain/time.ts';
import { valuesOfHeader } from './request.ts';

/**
 * `__Host-` (RFC 6265bis, section 4.1.3.2): a browser takes and sends such a cookie over HTTPS only, for this very host, and so
 * from no subdomain or sister that could put one of its own there.
 */
export type CookieName = `__Host-${string}`;

/**
 * Every value that a request gives a cookie; a browser gives one. Values are as they were sent: ours are tokens, which need no
 * quotes and no escapes.
 */
export const cookiesIn = (event: APIGatewayProxyEvent, name: CookieName): readonly string[] =>
  // HTTP/2 may split the header into several (RFC 9113 section 8.2.3).
  valuesOfHeader(event, 'cookie')
    .flatMap((header) => header.split(';'))
    // Spaces and tabs alone: `trim` would also cut what a browser lets a subdomain put before the name, and so undo its prefix.
    .map((pair) => pair.replace(/^[ \t]+/, ''))
    .flatMap((pair) => (pair.startsWith(`${name}=`) ? [pair.slice(name.length + 1)] : []));

/** What of a `Set-Cookie` header is the same for every cookie of ours: as narrow as `__Host-` lets it be. */
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';

/** A text of `Set-Cookie`. @param maxAge 0 and less makes the browser forget it */
export const setCookie = (name: CookieName, value: string, maxAge: Seconds): string =>
  `${name}=${value}; ${ATTRIBUTES}; Max-Age=${Math.max(0, maxAge)}`;

/** An answer that sets cookies: each in a header of its own (RFC 6265 section 3), which `headers` has no room for. */
export const withCookies = (answer: APIGatewayProxyResult, cookies: readonly string[]): APIGatewayProxyResult => ({
  ...answer,
  multiValueHeaders: { ...answer.multiValueHeaders, 'Set-Cookie': [...cookies] },
});
