import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { endpoint } from '../shared/http/endpoint.ts';
import { problem, reply } from '../shared/http/reply.ts';

/** The page and its files; put here when the function is bundled (infra/bundling/demo-page.ts). */
declare const DEMO_PAGE: {
  /** Its links begin with {@link BASE}. */
  readonly html: string;
  /** By name, which changes with what is in the file. */
  readonly files: Readonly<Record<string, { readonly type: string; readonly text: string }>>;
};

/** Stands in the page where the API's own base path goes. */
const BASE = '{base}';

const HARDENED = {
  // Nothing but its own files and its own API; without script, no form may send a password anywhere.
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

export const handler = endpoint((event) => {
  const name = event.pathParameters?.['file'];
  return name === undefined ? page(event) : file(name);
});

const page = (event: APIGatewayProxyEvent): APIGatewayProxyResult =>
  reply(200, DEMO_PAGE.html.replaceAll(BASE, basePath(event)), {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-cache',
    ...HARDENED,
  });

function file(name: string): APIGatewayProxyResult {
  const found = Object.hasOwn(DEMO_PAGE.files, name) ? DEMO_PAGE.files[name] : undefined;
  if (found === undefined) return problem(404, 'Not found.');
  return reply(200, found.text, {
    'Content-Type': found.type,
    // The name is the version.
    'Cache-Control': 'public, max-age=31536000, immutable',
    ...HARDENED,
  });
}

/**
 * What stands before the API's own paths, a stage or a base path: `/v1`. Not left to relative links, which `…/v1` without a
 * slash at its end would lead astray.
 */
function basePath(event: APIGatewayProxyEvent): string {
  const [base = ''] = /^(?:\/[\w.~-]+)*/.exec(event.requestContext.path) ?? [];
  return base;
}
