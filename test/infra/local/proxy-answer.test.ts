import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type TinyGateway, serveTinyStack } from './tiny-stack.ts';

let gateway: TinyGateway;
beforeAll(async () => {
  // Answers with whatever the body says.
  const functions = { say: 'exports.handler = async (event) => JSON.parse(event.body)' };
  gateway = await serveTinyStack({
    functions,
    methods: { 'ANY /say': 'say' },
    api: { BinaryMediaTypes: ['image/png'] },
  });
});
afterAll(() => gateway.close());

const said = (answer: unknown, headers: Record<string, string> = {}) =>
  gateway.ask('/say', { method: 'POST', body: JSON.stringify(answer), headers });

test('status, headers and body are the function’s; without a type the body is JSON', async () => {
  const answer = await said({ statusCode: 418, headers: { 'X-Own': 'yes' }, body: '{"a":1}' });
  expect([answer.status, answer.header('X-Own'), answer.text]).toEqual([418, 'yes', '{"a":1}']);
  expect(answer.header('Content-Type')).toBe('application/json');
  expect((await said({ statusCode: 200, headers: { 'content-type': 'text/x' } })).header('content-type')).toBe(
    'text/x',
  );
});

test('a missing status is 200, and one given as text counts', async () => {
  expect((await said({ body: 'x' })).status).toBe(200);
  expect((await said({ statusCode: '404' })).status).toBe(404);
});

test('both header maps are sent, and the multi-value one decides where both name a header', async () => {
  const answer = await said({
    statusCode: 200,
    headers: { 'X-A': 'single', 'X-B': 1 },
    multiValueHeaders: { 'x-a': ['one', 'two'] },
  });
  const values = answer.headers.filter(([name]) => name.toLowerCase() === 'x-a').map(([, value]) => value);
  expect(values).toEqual(['one', 'two']);
  expect(answer.header('X-B')).toBe('1');
});

test('cookies are set in a header each, whatever else a function answers', async () => {
  const cookies = ['a=1; Path=/; Secure; HttpOnly', 'b=2; Max-Age=0'];
  const answer = await said({ statusCode: 200, headers: { 'X-A': '1' }, multiValueHeaders: { 'Set-Cookie': cookies } });
  const sent = answer.headers.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value);
  expect([sent, answer.header('X-A')]).toEqual([cookies, '1']);
});

test('headers that API Gateway keeps for itself go out renamed', async () => {
  const answer = await said({
    statusCode: 401,
    headers: { 'WWW-Authenticate': 'Bearer', Server: 'us', Date: 'never' },
  });
  expect(answer.header('WWW-Authenticate')).toBeUndefined();
  expect(answer.header('x-amzn-Remapped-WWW-Authenticate')).toBe('Bearer');
  expect(answer.header('x-amzn-Remapped-Server')).toBe('us');
  expect(answer.header('Date')).not.toBe('never');
});

test('headers of the connection are dropped', async () => {
  const answer = await said({
    statusCode: 200,
    headers: { 'Transfer-Encoding': 'x', Upgrade: 'x', Host: 'x' },
    body: 'x',
  });
  expect([answer.status, answer.header('Upgrade'), answer.header('Host')]).toEqual([200, undefined, undefined]);
});

test('every answer names its request', async () => {
  expect((await said({ statusCode: 200 })).header('x-amzn-RequestId')).toMatch(/^[0-9a-f-]{36}$/);
});

test('a body that says it is base64 is decoded, only for callers that accept a binary type first', async () => {
  const png = { statusCode: 200, isBase64Encoded: true, body: Buffer.from('pixels').toString('base64') };
  expect((await said(png, { Accept: 'image/png, */*' })).text).toBe('pixels');
  expect((await said(png, { Accept: '*/*' })).text).toBe(png.body);
  expect((await said({ ...png, isBase64Encoded: false }, { Accept: 'image/png' })).text).toBe(png.body);
});

test.each([
  ['no object', 'text'],
  ['nothing', null],
  ['a list', []],
  ['a body that is an object', { statusCode: 200, body: {} }],
  ['a member that is none of the format', { statusCode: 200, cookies: [] }],
  ['a status that is none', { statusCode: 'fine' }],
  ['headers that are a list', { statusCode: 200, headers: ['a'] }],
  ['a header that is an object', { statusCode: 200, headers: { a: {} } }],
  ['a multi-value header that is a text', { statusCode: 200, multiValueHeaders: { a: 'b' } }],
  ['a header that would split the response', { statusCode: 200, headers: { a: 'b\r\nc: d' } }],
])('%s for an answer is a 502', async (_what, answer) => {
  const { status, json } = await said(answer);
  expect([status, json]).toEqual([502, { message: 'Internal server error' }]);
});
