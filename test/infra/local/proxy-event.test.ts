import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type TinyGateway, serveTinyStack } from './tiny-stack.ts';

let gateway: TinyGateway;
beforeAll(async () => {
  gateway = await serveTinyStack({ api: { BinaryMediaTypes: ['image/png'] } });
});
afterAll(() => gateway.close());

type Event = Record<string, unknown> & { requestContext: Record<string, unknown>; headers: Record<string, string> };
const eventOf = async (...request: Parameters<TinyGateway['ask']>) => (await gateway.ask(...request)).json as Event;

test('a function gets the members of payload format 1.0 and no others', async () => {
  expect(Object.keys(await eventOf('/x')).sort()).toEqual([
    'body',
    'headers',
    'httpMethod',
    'isBase64Encoded',
    'multiValueHeaders',
    'multiValueQueryStringParameters',
    'path',
    'pathParameters',
    'queryStringParameters',
    'requestContext',
    'resource',
    'stageVariables',
  ]);
});

test('what a request does not have is null', async () => {
  const event = await eventOf('/');
  for (const member of [
    'body',
    'pathParameters',
    'queryStringParameters',
    'multiValueQueryStringParameters',
    'stageVariables',
  ]) {
    expect([member, event[member]]).toEqual([member, null]);
  }
  expect(event['isBase64Encoded']).toBe(false);
  expect(event.requestContext['identity']).toMatchObject({ userAgent: null });
});

test('a repeated query parameter has its last value in one map and all in the other, decoded', async () => {
  const event = await eventOf('/x?a=1&b=%C3%A9+%2B&a=2&c');
  expect(event['queryStringParameters']).toEqual({ a: '2', b: 'é +', c: '' });
  expect(event['multiValueQueryStringParameters']).toEqual({ a: ['1', '2'], b: ['é +'], c: [''] });
});

test('header names keep their case, and repeated ones have their last value in one map and all in the other', async () => {
  const event = await eventOf('/x', { headers: { 'X-Thing': ['one', 'two'], aCCept: 'text/plain' } });
  expect(event.headers).toMatchObject({ 'X-Thing': 'two', aCCept: 'text/plain' });
  expect(event['multiValueHeaders']).toMatchObject({ 'X-Thing': ['one', 'two'], aCCept: ['text/plain'] });
});

test('cookies reach a function as they were sent, in one header or in several', async () => {
  const sent = ['a="1"; __Host-b=2', 'a=3'];
  const event = await eventOf('/x', { headers: { Cookie: sent } });
  const { Cookie: cookies } = event['multiValueHeaders'] as Record<string, string[]>;
  expect(cookies?.join('; ')).toBe(sent.join('; '));
});

test('headers between the caller and API Gateway do not reach a function', async () => {
  const event = await eventOf('/x', { method: 'POST', body: 'x', headers: { TE: 'trailers', 'Content-MD5': 'x' } });
  const names = Object.keys(event.headers).map((name) => name.toLowerCase());
  expect(names).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(te|connection|content-md5)$/)]));
  expect(names).not.toContain('content-length');
});

test('the address that called is appended to X-Forwarded-For, and is the source address', async () => {
  const event = await eventOf('/x', { headers: { 'x-forwarded-for': '192.0.2.1', 'User-Agent': 'tester' } });
  expect(event.headers['x-forwarded-for']).toBe('192.0.2.1, 127.0.0.1');
  expect(event.requestContext['identity']).toMatchObject({ sourceIp: '127.0.0.1', userAgent: 'tester', user: null });
});

test('the request context names the request, its time, its stage and its resource', async () => {
  const before = Date.now();
  const { requestContext } = await eventOf('/some/path?q=1', { method: 'PUT' });
  expect(requestContext).toMatchObject({
    httpMethod: 'PUT',
    path: '/some/path',
    protocol: 'HTTP/1.1',
    resourcePath: '/{proxy+}',
    stage: 'v1',
    accountId: '000000000000',
    domainName: gateway.url.replace('http://', ''),
  });
  expect(requestContext['requestId']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(requestContext['requestTime']).toMatch(/^\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2} \+0000$/);
  expect(requestContext['requestTimeEpoch']).toBeGreaterThanOrEqual(before);
  expect(requestContext).not.toHaveProperty('authorizer');
});

test('a body is text, whatever its type says', async () => {
  const event = await eventOf('/x', { method: 'POST', body: '{"é":1}', headers: { 'Content-Type': 'image/jpeg' } });
  expect([event['body'], event['isBase64Encoded']]).toEqual(['{"é":1}', false]);
});

test('a body of a type that the API calls binary is base64', async () => {
  const body = Buffer.from([0xff, 0x00, 0xd8]);
  const event = await eventOf('/x', { method: 'POST', body, headers: { 'Content-Type': 'image/png; a=b' } });
  expect([event['body'], event['isBase64Encoded']]).toEqual([body.toString('base64'), true]);
});

test('a body of 10 MB is read, and too large only for Lambda, which takes 6 MB', async () => {
  const answer = await gateway.ask('/x', { method: 'POST', body: 'x'.repeat(7 * 1024 * 1024) });
  expect([answer.status, answer.json]).toEqual([413, { message: 'Request Too Long' }]);
  expect((await gateway.ask('/x', { method: 'POST', body: 'x'.repeat(2 * 1024 * 1024) })).status).toBe(200);
});

test('headers of more than 10,240 bytes are refused', async () => {
  expect((await gateway.ask('/x', { headers: { 'X-Long': 'x'.repeat(9_000) } })).status).toBe(200);
  expect((await gateway.ask('/x', { headers: { 'X-Long': 'x'.repeat(11_000) } })).status).toBe(431);
});

test('bytes of a text body that are no UTF-8 become U+FFFD', async () => {
  const event = await eventOf('/x', { method: 'POST', body: Buffer.from([0x61, 0xff, 0x62]) });
  expect(event['body']).toBe('a\ufffdb');
});

test('the event names the request by the id that the answer carries', async () => {
  const answer = await gateway.ask('/x');
  const { requestContext } = Object(answer.json) as Event;
  expect(requestContext['requestId']).toBe(answer.header('x-amzn-RequestId'));
});

test('HEAD reaches the function behind ANY, and its answer has no body', async () => {
  const answer = await gateway.ask('/x', { method: 'HEAD' });
  expect([answer.status, answer.text]).toEqual([200, '']);
});

test('the path has no stage in front, as behind a custom domain', async () => {
  const event = await eventOf('/v1/x');
  expect([event['path'], event.requestContext['path'], event['resource']]).toEqual(['/v1/x', '/v1/x', '/{proxy+}']);
});
