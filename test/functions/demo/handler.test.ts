import { beforeAll, describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { PROJECT_ROOT } from '../../../infra/bundling/options.ts';
import { demoPage } from '../../../infra/bundling/demo-page.ts';
import { apiEvent } from '../../support/events.ts';
import { quietly } from '../../support/logged.ts';

const DEMO_PAGE = demoPage(PROJECT_ROOT);

let handler: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;
beforeAll(async () => {
  Object.assign(globalThis, { DEMO_PAGE });
  ({ handler } = await import('../../../functions/demo/handler.ts'));
});

const pageAt = (path: string) => handler(apiEvent({ method: 'GET', resource: '/', path }));
const fileNamed = (file: string) =>
  handler({
    ...apiEvent({ method: 'GET', resource: '/demo/{file}', path: `/demo/${file}` }),
    pathParameters: { file },
  });

describe('the demo page', () => {
  test('may load its own files and call its own API, and nothing else; no page may frame it', async () => {
    const { statusCode, headers } = await pageAt('/');
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    });
    const policy = String(headers?.['Content-Security-Policy']).split('; ');
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"]),
    );
    expect(policy.filter((one) => /unsafe|https?:|data:|\*/.test(one))).toEqual([]);
  });

  test('has no script and no style in itself, and names every one of its files', async () => {
    const { body } = await pageAt('/');
    expect(body).not.toMatch(/<style|<script[^>]*>[^<]|\son\w+=|\sstyle=|javascript:/i);
    expect(Object.keys(DEMO_PAGE.files)).toHaveLength(3);
    for (const name of Object.keys(DEMO_PAGE.files)) expect(body).toContain(`"/demo/${name}"`);
  });

  test.each([
    ['/', ''],
    ['/v1', '/v1'],
    ['/v1/', '/v1'],
    ['/auth/v1/', '/auth/v1'],
    // Nothing that API Gateway takes; were it to, it would lead to no other host.
    ['//evil.example/', ''],
    ['/"><script>', ''],
  ])('at %s it links to %s/demo', async (path, base) => {
    const { body } = await pageAt(path);
    const [first] = Object.keys(DEMO_PAGE.files);
    expect(body).toContain(`"${base}/demo/${first!}"`);
    expect(body).toContain(`"${base}/openapi.json"`);
    expect(body).not.toContain('{base}');
  });

  test('has files that are kept for good, under names that change with what is in them', async () => {
    const types = await Promise.all(
      Object.entries(DEMO_PAGE.files).map(async ([name, { text }]) => {
        expect(name).toMatch(/-[A-Z0-9]{8}\.\w+$/);
        const { statusCode, headers, body } = await fileNamed(name);
        expect([statusCode, body]).toEqual([200, text]);
        expect(headers).toMatchObject({ 'Cache-Control': expect.stringMatching(/^public, .*immutable$/) });
        return headers?.['Content-Type'];
      }),
    );
    expect(types.toSorted()).toEqual(['image/svg+xml', 'text/css; charset=utf-8', 'text/javascript; charset=utf-8']);
  });

  test.each(['page.ts', 'page.js', 'toString', '__proto__', '..', ''])('has no file %j', async (name) => {
    expect(await quietly(() => fileNamed(name))).toMatchObject({
      statusCode: 404,
      body: expect.stringContaining('Not found.'),
    });
  });
});
