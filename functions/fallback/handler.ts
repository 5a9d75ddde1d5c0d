import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { listOfTexts, membersOfJson } from '../shared/domain/unknown.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { isCookieModeOn, MODE_HEADER } from '../shared/http/mode.ts';
import { problem, reply } from '../shared/http/reply.ts';
import { readEnv } from '../shared/runtime/env.ts';
import { fallback, type Routes } from './fallback.ts';

const routes: Routes = Object.fromEntries(
  Object.entries(membersOfJson(readEnv('ROUTES').ROUTES)).map(([route, methods]) => [route, listOfTexts(methods)]),
);

export const handler = endpoint((event) => {
  const { httpMethod: method, resource, requestContext } = event;
  // Not `event.path`: behind a custom domain it lacks the base path that the client has to send.
  const verdict = fallback(method, requestContext.path, resource, routes);
  switch (verdict.kind) {
    case 'moved':
      // 308 keeps method and body (RFC 9110 section 15.4.9).
      return reply(308, '', { Location: `${verdict.to}${queryOf(event)}`, 'Cache-Control': 'no-store' });
    case 'preflight':
      return preflight(verdict.methods);
    case 'wrong-method':
      return problem(405, `Method "${method}" not allowed.`, {}, { Allow: verdict.methods.join(', ') });
    case 'not-found':
      return problem(404, 'Not found.');
  }
});

/** The answer to a browser that asks whether it may send a request from another origin (Fetch standard, section 3.2). */
const preflight = (methods: readonly string[]): APIGatewayProxyResult =>
  reply(204, '', {
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': ['Authorization', 'Content-Type', ...(isCookieModeOn ? [MODE_HEADER] : [])].join(
      ', ',
    ),
    'Access-Control-Max-Age': '7200',
    'Cache-Control': 'no-store',
  });

function queryOf({ multiValueQueryStringParameters }: APIGatewayProxyEvent): string {
  const pairs = Object.entries(multiValueQueryStringParameters ?? {}).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}
