import { afterEach, expect, test } from '@jest/globals';
import { ECHO, type TinyGateway, type TinyStack, serveTinyStack } from './tiny-stack.ts';

let gateway: TinyGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

async function serve(responses: TinyStack['responses'] = {}): Promise<TinyGateway> {
  gateway = await serveTinyStack({
    functions: { echo: ECHO, bad: 'exports.handler = async () => 1', guard: 'exports.handler = async () => 1' },
    methods: { 'GET /guarded': '!echo', 'GET /bad': 'bad' },
    authorizer: { fn: 'guard' },
    responses,
  });
  return gateway;
}

test('without any in the template, API Gateway’s own are given', async () => {
  const { ask } = await serve();
  const answer = await ask('/guarded');
  expect([answer.status, answer.text]).toEqual([401, '{"message":"Unauthorized"}']);
  expect(answer.header('Content-Type')).toBe('application/json');
  expect(answer.header('x-amzn-ErrorType')).toBe('UnauthorizedException');
  expect(answer.header('x-amzn-RequestId')).toMatch(/^[0-9a-f-]{36}$/);
});

test('one of its own type sets status, headers and body, with variables in both', async () => {
  const { ask } = await serve({
    UNAUTHORIZED: {
      StatusCode: '418',
      ResponseParameters: {
        'gatewayresponse.header.WWW-Authenticate': `'Bearer realm="api"'`,
        'gatewayresponse.header.X-Request': 'context.requestId',
        'gatewayresponse.header.X-Origin': 'method.request.header.Origin',
      },
      ResponseTemplates: {
        'application/json':
          '{"m":$context.error.messageString,"t":"$context.error.responseType","p":"$context.path","x":"$context.none"}',
      },
    },
  });
  const answer = await ask('/guarded', { headers: { origin: 'https://app.example' } });
  expect(answer.status).toBe(418);
  expect(answer.json).toEqual({ m: 'Unauthorized', t: 'UNAUTHORIZED', p: '/guarded', x: '' });
  expect(answer.header('WWW-Authenticate')).toBe('Bearer realm="api"');
  expect(answer.header('X-Request')).toBe(answer.header('x-amzn-RequestId'));
  expect(answer.header('X-Origin')).toBe('https://app.example');
});

test('the general one answers for the types without their own, with their status unless it has one', async () => {
  const general = (StatusCode?: string) => ({
    ...(StatusCode !== undefined && { StatusCode }),
    ResponseTemplates: { 'application/json': '{"general":true}' },
  });
  const { ask, close } = await serve({ DEFAULT_4XX: general(), DEFAULT_5XX: general('503') });
  const [unknown, broken] = [await ask('/nowhere'), await ask('/bad')];
  expect([unknown.status, unknown.json]).toEqual([403, { general: true }]);
  expect([broken.status, broken.json]).toEqual([503, { general: true }]);
  await close();
  const answer = await (await serve({ DEFAULT_4XX: general('404') })).ask('/nowhere');
  expect(answer.status).toBe(404);
});

test('a content type among the headers replaces that of the template', async () => {
  const { ask } = await serve({
    UNAUTHORIZED: { ResponseParameters: { 'gatewayresponse.header.Content-Type': "'application/problem+json'" } },
  });
  const types = (await ask('/guarded')).headers.filter(([name]) => name.toLowerCase() === 'content-type');
  expect(types).toEqual([['Content-Type', 'application/problem+json']]);
});

test('of several templates the caller’s Accept chooses, and else the first', async () => {
  const { ask } = await serve({
    UNAUTHORIZED: { ResponseTemplates: { 'application/json': '{}', 'text/plain': 'no' } },
  });
  const plain = await ask('/guarded', { headers: { accept: 'image/png, Text/Plain;q=0.5' } });
  expect([plain.text, plain.header('content-type')]).toEqual(['no', 'text/plain']);
  expect((await ask('/guarded', { headers: { accept: '*/*' } })).text).toBe('{}');
});

test('a body over 10 MB is refused before any authorizer', async () => {
  const { ask } = await serve({ REQUEST_TOO_LARGE: { ResponseTemplates: { 'application/json': '{"large":true}' } } });
  const body = Buffer.alloc(10 * 1024 * 1024 + 1);
  const answer = await ask('/guarded', { method: 'POST', body, headers: { Connection: 'keep-alive' } });
  expect([answer.status, answer.json, answer.header('Connection')]).toEqual([413, { large: true }, 'close']);
});

test.each([
  ['a velocity directive', { ResponseTemplates: { 'application/json': '#set($a = 1)' } }, '#set'],
  ['a variable in braces', { ResponseTemplates: { 'application/json': '${context.path}' } }, '${context.path'],
  ['a quiet variable', { ResponseTemplates: { 'application/json': '$!context.path' } }, '$!context.path'],
  [
    'what the authorizer handed on',
    { ResponseTemplates: { 'application/json': '$context.authorizer.sub' } },
    '$context.authorizer',
  ],
  ['a variable that is not the context’s', { ResponseTemplates: { 'application/json': '$input.body' } }, '$input'],
  [
    'a mapping from the query',
    { ResponseParameters: { 'gatewayresponse.header.A': 'method.request.querystring.a' } },
    'mapping',
  ],
])('%s is refused at the start', async (_what, properties, named) => {
  await expect(serve({ UNAUTHORIZED: properties })).rejects.toThrow(named);
});

test('a type that API Gateway does not have is refused at the start, and one without a cause here is not', async () => {
  await expect(serve({ UNAUTHORISED: {} })).rejects.toThrow('API Gateway has no response UNAUTHORISED');
  const { ask } = await serve({ WAF_FILTERED: {}, THROTTLED: {} });
  expect((await ask('/guarded')).status).toBe(401);
});

test('nothing is added for browsers: CORS headers come from the template’s responses and from functions alone', async () => {
  const { ask } = await serve();
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
  for (const [path, method] of [
    ['/guarded', 'GET'],
    ['/bad', 'GET'],
    ['/guarded', 'OPTIONS'],
  ] as const) {
    const names = (await ask(path, { method, headers })).headers.map(([name]) => name.toLowerCase());
    expect(names.filter((name) => name.startsWith('access-control-') || name === 'vary')).toEqual([]);
  }
});
