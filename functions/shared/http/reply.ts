import type { APIGatewayProxyResult } from 'aws-lambda';
import { TITLES } from './titles.ts';

/** What every answer carries, ours and the gateway's, besides what `cors.ts` adds. */
const EVERYWHERE: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Strict-Transport-Security': 'max-age=63072000',
};

type Headers = Readonly<Record<string, string>>;

/** An answer of any type, or without a body. */
export const reply = (status: number, body: string, headers: Headers): APIGatewayProxyResult => ({
  statusCode: status,
  headers: { ...EVERYWHERE, ...headers },
  body,
});

/** An answer that nobody may keep (RFC 6749 section 5.1). */
export const json = (status: number, body: object, headers: Headers = {}): APIGatewayProxyResult =>
  reply(status, JSON.stringify(body), { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers });

/** The answer to a deletion. */
export const noContent = (): APIGatewayProxyResult => reply(204, '', { 'Cache-Control': 'no-store' });

/**
 * A problem document (RFC 9457) that clients of Simple JWT understand as well.
 *
 * @param members what it carries beyond the standard members: `code`, or a list of messages for each field
 */
export const problem = (
  status: number,
  detail: string,
  members: object = {},
  headers: Headers = {},
): APIGatewayProxyResult =>
  json(
    status,
    { type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail, ...members },
    {
      'Content-Type': 'application/problem+json',
      ...headers,
    },
  );
