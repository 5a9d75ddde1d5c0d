import type { APIGatewayProxyEvent } from 'aws-lambda';
import { ANY_ORIGIN, originsNamed } from '../domain/origins.ts';
import { readSettings } from '../runtime/env.ts';
import { wholeHeaderIn } from './request.ts';

const settings = readSettings('corsOrigin', 'cookieMode');

type Headers = Readonly<Record<string, string>>;

/** Which pages may read the answer to a request: what a browser is told of it (Fetch standard, section 3.2). */
export type Readers = (event: APIGatewayProxyEvent) => Headers;

const EXPOSED = { 'Access-Control-Expose-Headers': 'WWW-Authenticate, Retry-After' };

/** Pages of any origin, and never with cookies: no answer that they read can be a user's own. */
export const everyPage: Readers = () => ({ 'Access-Control-Allow-Origin': ANY_ORIGIN, ...EXPOSED });

/** Pages of the origins that the setting `corsOrigin` names. */
export const pagesOfSettings: Readers = (event) => readersOf(wholeHeaderIn(event, 'origin'), settings);

/**
 * What a browser is told. Origins are compared byte for byte, as the standard does: one that differs in case, scheme, port or
 * a dot is another one.
 *
 * @param origin what the request says of its page; undefined where it says nothing, as requests of the same origin may
 */
export function readersOf(
  origin: string | undefined,
  { corsOrigin, cookieMode }: { readonly corsOrigin: string; readonly cookieMode: 'on' | 'off' },
): Headers {
  if (corsOrigin === ANY_ORIGIN) return { 'Access-Control-Allow-Origin': ANY_ORIGIN, ...EXPOSED };
  // A cache must not give one origin's answer to another, nor what it gave to nobody to one that is allowed.
  const Vary = 'Origin';
  if (origin === undefined || !originsNamed(corsOrigin).includes(origin)) return { Vary };
  return {
    Vary,
    'Access-Control-Allow-Origin': origin,
    ...(cookieMode === 'on' && { 'Access-Control-Allow-Credentials': 'true' }),
    ...EXPOSED,
  };
}
