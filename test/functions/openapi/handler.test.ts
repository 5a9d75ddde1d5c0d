import { expect, test } from '@jest/globals';
import { handler } from '../../../functions/openapi/handler.ts';
import { apiEvent } from '../../support/events.ts';

test('anybody may read the description of the API, from any page, and keep it for a while', async () => {
  Object.assign(globalThis, { OPENAPI_DOCUMENT: '{"openapi":"3.1.1"}' });
  expect(await handler(apiEvent({ method: 'GET', resource: '/openapi.json' }))).toMatchObject({
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
