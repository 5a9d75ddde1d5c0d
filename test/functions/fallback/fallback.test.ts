import { describe, expect, jest, test } from '@jest/globals';
import { fallback } from '../../../functions/fallback/fallback.ts';
import { apiEvent, type Request } from '../../support/events.ts';
import { logged } from '../../support/logged.ts';

const ROUTES = { '/api/token': ['POST'], '/api/profile': ['GET', 'PATCH'], '/api/sessions/{id}': ['DELETE'] };
process.env['ROUTES'] = JSON.stringify(ROUTES);
const { handler } = await import('../../../functions/fallback/handler.ts');
const ask = (request: Request) => handler(apiEvent(request));

/** What is said to a request that no route's resource took. */
const strayed = (path: string, method = 'POST') => fallback(method, path, '/{proxy+}', ROUTES);

describe('a path with slashes too many', () => {
  test.each([
    ['/api/token/', '/api/token'],
    ['/v1/api/token/', '/v1/api/token'],
    ['/base/v1/api/token//', '/base/v1/api/token'],
    ['/api/sessions/some-id/', '/api/sessions/some-id'],
    ["/api/sessions/a%20b~!$&'()*+,;=:@/", "/api/sessions/a%20b~!$&'()*+,;=:@"],
  ])('%s moves to %s', (path, to) => {
    expect(strayed(path)).toEqual({ kind: 'moved', to });
  });

  test.each([
    '/',
    '//',
    '/nowhere/',
    '/api/token',
    '/a/b/c/api/token/',
    '/api/sessions//',
    '/api//token/',
    '/v1//api/token/',
    '/API/token/',
    '/api/token/x/',
    '/api/{id}/',
    'api/token/',
    '',
  ])('%s goes nowhere', (path) => {
    expect(strayed(path)).toEqual({ kind: 'not-found' });
  });

  test.each([
    '//evil.example/api/token/',
    '///evil.example/api/token/',
    '//evil.example//api/token/',
    '/\\evil.example/api/token/',
    '/\\/evil.example/api/token/',
    '\\\\evil.example/api/token/',
    '/\t/evil.example/api/token/',
    '/\n/evil.example/api/token/',
    '/\r\nLocation: https://evil.example/api/token/',
    'https://evil.example/api/token/',
    'https:/evil.example/api/token/',
    '/ /evil.example/api/token/',
    '/\u00a0/evil.example/api/token/',
    '/@evil.example/api/token/',
    '/.//evil.example/api/token/',
    '/..//evil.example/api/token/',
    '/evil.example\\/api/token/',
  ])('%j leads to no other host', (path) => {
    const verdict = strayed(path);
    if (verdict.kind !== 'moved') return expect(verdict).toEqual({ kind: 'not-found' });
    expect(new URL(verdict.to, 'https://api.example.org').host).toBe('api.example.org');
    expect(verdict.to).toMatch(/^\/[!-~]*$/);
  });

  test('keeps method, body and query, with every value of it', async () => {
    const event = apiEvent({ resource: '/{proxy+}', path: '/v1/api/token/', body: 'x' });
    const multiValueQueryStringParameters = { a: ['1', '2 &'], b: [''], 'ü/?#': ['ü/?#'], c: undefined };
    const { statusCode, headers } = await handler({ ...event, multiValueQueryStringParameters });
    expect([statusCode, headers?.['Location']]).toEqual([
      308,
      '/v1/api/token?a=1&a=2+%26&b=&%C3%BC%2F%3F%23=%C3%BC%2F%3F%23',
    ]);
    expect(headers).toMatchObject({ 'Cache-Control': 'no-store', 'Access-Control-Allow-Origin': '*' });
  });

  test('is judged by what the client sent, not by the path that API Gateway has cut its base path from', async () => {
    const event = { ...apiEvent({ resource: '/{proxy+}', path: '/base/api/token/' }), path: '/api/token/' };
    expect((await handler(event)).headers).toMatchObject({ Location: '/base/api/token' });
  });

  test('is answered to the preflight of a browser as the right path is, for a redirect would fail it', async () => {
    const { statusCode, headers } = await ask({ method: 'OPTIONS', resource: '/{proxy+}', path: '/v1/api/profile/' });
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({ 'Access-Control-Allow-Methods': 'GET, PATCH', 'Access-Control-Allow-Origin': '*' });
  });
});

describe('a method that a route does not take', () => {
  test.each(['PUT', 'DELETE', 'HEAD', 'TRACE', 'get', 'PROPFIND'])(
    '(%s) is told which ones it does',
    async (method) => {
      const { statusCode, headers, body } = await ask({ method, resource: '/api/profile' });
      expect([statusCode, headers?.['Allow']]).toEqual([405, 'GET, PATCH']);
      expect(headers).toMatchObject({
        'Content-Type': 'application/problem+json',
        'X-Content-Type-Options': 'nosniff',
      });
      expect(JSON.parse(body)).toEqual({
        type: 'about:blank',
        title: 'Method Not Allowed',
        status: 405,
        detail: `Method "${method}" not allowed.`,
      });
    },
  );

  test('is told so on a path with a parameter too', async () => {
    const { statusCode, headers } = await ask({
      method: 'GET',
      resource: '/api/sessions/{id}',
      path: '/v1/api/sessions/x',
    });
    expect([statusCode, headers?.['Allow']]).toEqual([405, 'DELETE']);
  });

  test('is a preflight where it is OPTIONS', async () => {
    const { statusCode, headers, body } = await ask({ method: 'OPTIONS', resource: '/api/profile' });
    expect([statusCode, body]).toEqual([204, '']);
    expect(headers).toMatchObject({
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Methods': 'GET, PATCH',
      'Access-Control-Allow-Headers': 'Authorization, Content-Type',
      'Access-Control-Max-Age': '7200',
    });
  });
});

describe('anything else', () => {
  test.each(['GET', 'POST', 'OPTIONS'])('is not found, as a problem document: %s', async (method) => {
    const { statusCode, headers, body } = await ask({ method, resource: '/{proxy+}', path: '/v1/nowhere' });
    expect([statusCode, headers?.['Content-Type']]).toEqual([404, 'application/problem+json']);
    expect(JSON.parse(body)).toEqual({ type: 'about:blank', title: 'Not Found', status: 404, detail: 'Not found.' });
  });

  test('is not found at the root, nor under the names that every object has', async () => {
    for (const path of ['/v1/', '/v1/toString/', '/v1/__proto__', '/constructor/']) {
      expect((await ask({ resource: '/{proxy+}', path })).statusCode).toBe(404);
    }
    expect((await ask({ resource: '/', path: '/v1/' })).statusCode).toBe(404);
  });

  test('is not logged', async () => {
    const { lines } = await logged(() => ask({ resource: '/{proxy+}', path: '/v1/nowhere' }));
    expect(lines).toEqual([]);
  });
});

describe('a preflight where cookie mode is on', () => {
  const APP = 'https://app.example.org';
  const preflight = async (origin?: string) => {
    Object.assign(process.env, { CORS_ORIGIN: `${APP} https://admin.example.org`, COOKIE_MODE: 'on' });
    jest.resetModules();
    const cookies = await import('../../../functions/fallback/handler.ts');
    for (const name of ['CORS_ORIGIN', 'COOKIE_MODE']) Reflect.deleteProperty(process.env, name);
    const headers = origin === undefined ? {} : { Origin: origin, 'Access-Control-Request-Headers': 'x-latchkey-mode' };
    return cookies.handler(apiEvent({ method: 'OPTIONS', resource: '/api/token', headers }));
  };

  test('lets a configured origin ask for it, with its cookies', async () => {
    const { statusCode, headers } = await preflight(APP);
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({
      'Access-Control-Allow-Origin': APP,
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': 'Authorization, Content-Type, X-Latchkey-Mode',
      Vary: 'Origin',
    });
  });

  test.each([undefined, 'null', 'https://evil.example', 'https://APP.example.org'])(
    'lets no other: %j',
    async (origin) => {
      const { headers } = await preflight(origin);
      expect(headers).toMatchObject({ Vary: 'Origin' });
      expect(headers).not.toHaveProperty('Access-Control-Allow-Origin');
      expect(headers).not.toHaveProperty('Access-Control-Allow-Credentials');
    },
  );
});

describe('the function does not start', () => {
  const started = (routes: string) => {
    process.env['ROUTES'] = routes;
    jest.resetModules();
    return import('../../../functions/fallback/handler.ts');
  };

  test('without its routes, and says so', async () => {
    await expect(started('')).rejects.toThrow('Environment variables missing: ROUTES.');
  });

  test.each(['garbage', '[]', '{"/api/token":"POST"}', '{"/api/token":[1]}'])(
    'with routes that are %s',
    async (routes) => {
      await expect(started(routes)).rejects.toMatchObject({ name: 'Unfit' });
    },
  );
});
