import { beforeAll, expect, test } from '@jest/globals';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { apiEvent } from '../../support/events.ts';
import { quietly } from '../../support/logged.ts';

let handler: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;

beforeAll(async () => {
  Object.assign(globalThis, {
    DOCS: {
      page: { mediaType: 'text/html; charset=utf-8', text: '<!doctype html>' },
      files: { 'page-0.js': { mediaType: 'text/javascript; charset=utf-8', text: '{}' } },
    },
  });
  ({ handler } = await import('../../../functions/docs/handler.ts'));
});

const page = (headers: Record<string, string> = {}) => handler(apiEvent({ method: 'GET', resource: '/docs', headers }));
const file = (name: string, headers: Record<string, string> = {}) =>
  handler({
    ...apiEvent({ method: 'GET', resource: '/docs/{file}', headers }),
    pathParameters: { file: name },
  });

test('the page is asked for anew each time, and not sent again where it is unchanged', async () => {
  const first = await page();
  expect(first).toMatchObject({
    statusCode: 200,
    body: '<!doctype html>',
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache' },
  });
  const etag = String(first.headers?.['ETag']);
  expect(await page({ 'If-None-Match': etag })).toMatchObject({ statusCode: 304, body: '', headers: { ETag: etag } });
  expect(await page({ 'if-none-match': '"another"' })).toMatchObject({ statusCode: 200 });
});

test('what the page loads may be kept for ever, because another text has another name', async () => {
  const { statusCode, headers, body } = await file('page-0.js');
  expect([statusCode, body]).toEqual([200, '{}']);
  expect(headers).toMatchObject({
    'Content-Type': 'text/javascript; charset=utf-8',
    'Cache-Control': 'public, max-age=31536000, immutable',
  });
  expect(await file('page-0.js', { 'If-None-Match': String(headers?.['ETag']) })).toMatchObject({ statusCode: 304 });
});

test.each(['page-1.js', 'toString', '__proto__', '..', ''])('there is no file %p', async (name) => {
  const { statusCode, headers, body } = await quietly(() => file(name));
  expect([statusCode, JSON.parse(body)]).toEqual([404, expect.objectContaining({ detail: 'Not found.' })]);
  expect(headers?.['Cache-Control']).toBe('no-store');
});

test('nothing runs, is framed or is asked for that is not from here', async () => {
  for (const { headers } of [await page(), await file('page-0.js')]) {
    expect(headers).toMatchObject({ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' });
    const policy = new Map(
      String(headers?.['Content-Security-Policy'])
        .split('; ')
        .map((directive) => [directive.split(' ')[0], directive.split(' ').slice(1).join(' ')] as const),
    );
    expect(Object.fromEntries(policy)).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    });
  }
});
