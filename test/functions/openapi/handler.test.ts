import { expect, test } from '@jest/globals';
import { apiEvent } from '../../support/events.ts';

Object.assign(globalThis, { OPENAPI_DOCUMENT: '{"openapi":"3.1.1"}' });
const { handler } = await import('../../../functions/openapi/handler.ts');

const get = (headers: Record<string, string> = {}) =>
  handler(apiEvent({ method: 'GET', resource: '/openapi.json', headers }));

test('anybody may read the description of the API, from any page, and keep it for a while', async () => {
  expect(await get()).toMatchObject({
    statusCode: 200,
    body: '{"openapi":"3.1.1"}',
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'public, max-age=300',
      'Access-Control-Allow-Origin': '*',
      'X-Content-Type-Options': 'nosniff',
    },
  });
});

test('a caller who has it already is not sent it again', async () => {
  const etag = String((await get()).headers?.['ETag']);
  for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    expect(await get({ 'If-None-Match': known })).toMatchObject({
      statusCode: 304,
      body: '',
      headers: { ETag: etag, 'Cache-Control': 'public, max-age=300', 'Access-Control-Allow-Origin': '*' },
    });
  }
});
