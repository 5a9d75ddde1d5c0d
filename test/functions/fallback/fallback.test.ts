import { describe, expect, test } from '@jest/globals';
import { fallback } from '../../../functions/fallback/fallback.ts';
import { apiEvent, type Request } from '../../support/events.ts';

const ROUTES = { '/api/token': ['POST'], '/api/profile': ['GET', 'PATCH'], '/api/sessions/{id}': ['DELETE'] };
process.env['ROUTES'] = JSON.stringify(ROUTES);
const { handler } = await import('../../../functions/fallback/handler.ts');
const ask = (request: Request) => handler(apiEvent(request));

describe('a path with slashes too many', () => {
  test.each([
    ['/api/token/', '/api/token'],
    ['/v1/api/token/', '/v1/api/token'],
    ['/base/v1/api/token//', '/base/v1/api/token'],
    ['/api/sessions/some-id/', '/api/sessions/some-id'],
    ['//evil.example/api/token/', '/evil.example/api/token'],
  ])('%s moves to %s', (path, to) => {
    expect(fallback('POST', path, '/{proxy+}', ROUTES)).toEqual({ kind: 'moved', to });
  });

  test.each(['/', '//', '/nowhere/', '/api/token', '/a/b/c/api/token/', '/api/sessions//'])(
    '%s goes nowhere',
    (path) => {
      expect(fallback('POST', path, '/{proxy+}', ROUTES)).toEqual({ kind: 'not-found' });
    },
  );

  test('keeps its query, with every value', async () => {
    const event = apiEvent({ resource: '/{proxy+}', path: '/v1/api/token/' });
    const { statusCode, headers } = await handler({
      ...event,
      multiValueQueryStringParameters: { a: ['1', '2 &'], b: [''] },
    });
    expect([statusCode, headers?.['Location']]).toEqual([308, '/v1/api/token?a=1&a=2+%26&b=']);
  });
});

describe('a method that a route does not take', () => {
  test('is told which ones it does', async () => {
    const { statusCode, headers, body } = await ask({ method: 'PUT', resource: '/api/profile' });
    expect([statusCode, headers?.['Allow']]).toEqual([405, 'GET, PATCH']);
    expect(JSON.parse(body)).toMatchObject({ status: 405, detail: 'Method "PUT" not allowed.' });
  });

  test('is a preflight where it is OPTIONS', async () => {
    const { statusCode, headers } = await ask({ method: 'OPTIONS', resource: '/api/profile' });
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Methods': 'GET, PATCH',
      'Access-Control-Allow-Headers': 'Authorization, Content-Type',
    });
  });
});

test('anything else is not found, as a problem document', async () => {
  const { statusCode, headers, body } = await ask({ method: 'GET', resource: '/{proxy+}', path: '/v1/nowhere' });
  expect([statusCode, headers?.['Content-Type']]).toEqual([404, 'application/problem+json']);
  expect(JSON.parse(body)).toMatchObject({ status: 404, title: 'Not Found' });
});
