import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ECHO, type TinyGateway, serveTinyStack } from './tiny-stack.ts';

let gateway: TinyGateway;
beforeAll(async () => {
  gateway = await serveTinyStack({
    functions: { echo: ECHO, other: `exports.handler = async () => ({ statusCode: 200, body: '"other"' });` },
    methods: {
      'GET /': 'echo',
      'GET /a/b': 'echo',
      'ANY /a/b': 'other',
      'GET /a/{id}': 'echo',
      'GET /a/{id}/deep': 'echo',
      'GET /a/b/exact': 'echo',
      'ANY /{proxy+}': 'echo',
      'POST /only-post': 'echo',
    },
  });
});
afterAll(() => gateway.close());

const routed = async (path: string) => {
  const { resource, pathParameters } = Object((await gateway.ask(path)).json) as Record<string, unknown>;
  return [resource, pathParameters];
};

test('an exact path comes before a parameter, and a parameter before the greedy one', async () => {
  expect(await routed('/a/b')).toEqual(['/a/b', null]);
  expect(await routed('/a/c')).toEqual(['/a/{id}', { id: 'c' }]);
  expect(await routed('/a/c/d/e')).toEqual(['/{proxy+}', { proxy: 'a/c/d/e' }]);
  expect(await routed('/')).toEqual(['/', null]);
});

test('a branch that leads nowhere is given up for the next best', async () => {
  expect(await routed('/a/b/deep')).toEqual(['/a/{id}/deep', { id: 'b' }]);
  expect(await routed('/a/b/other')).toEqual(['/{proxy+}', { proxy: 'a/b/other' }]);
});

test('a method of its own comes before ANY', async () => {
  expect((await gateway.ask('/a/b', { method: 'DELETE' })).json).toBe('other');
  expect((await gateway.ask('/a/b')).json).not.toBe('other');
});

test('a resource without the method is refused, even where a greedy one would take it', async () => {
  const answer = await gateway.ask('/only-post');
  expect([answer.status, answer.json]).toEqual([403, { message: 'Missing Authentication Token' }]);
});

test('path parameters arrive decoded, the path as it was sent', async () => {
  expect(await routed('/a/caf%C3%A9%20%2Fx')).toEqual(['/a/{id}', { id: 'café /x' }]);
  const event = Object((await gateway.ask('/a/caf%C3%A9')).json) as Record<string, unknown>;
  expect(event['path']).toBe('/a/caf%C3%A9');
});

test('a trailing slash leads to the greedy resource, which sees the path without it', async () => {
  expect(await routed('/a/b/')).toEqual(['/{proxy+}', { proxy: 'a/b' }]);
});

test('a parameter is never empty, and takes as long a segment as a request may have', async () => {
  expect(await routed('/a/')).toEqual(['/{proxy+}', { proxy: 'a' }]);
  expect(await routed(`/a/${'x'.repeat(5000)}`)).toEqual(['/a/{id}', { id: 'x'.repeat(5000) }]);
});

test('a path that cannot be decoded is a bad request', async () => {
  const answer = await gateway.ask('/a/%zz');
  expect([answer.status, answer.json]).toEqual([400, { message: 'Bad Request' }]);
});

test('an absolute target is read for its path', async () => {
  expect(await routed('http://elsewhere.example/a/c?x=1')).toEqual(['/a/{id}', { id: 'c' }]);
});

test('paths are compared letter by letter, and signs in a segment belong to it', async () => {
  expect(await routed('/A/b')).toEqual(['/{proxy+}', { proxy: 'A/b' }]);
  expect(await routed('/a/b;c=1')).toEqual(['/a/{id}', { id: 'b;c=1' }]);
  expect(await routed('/a/b%23c')).toEqual(['/a/{id}', { id: 'b#c' }]);
  expect(await routed('/a/%2F')).toEqual(['/a/{id}', { id: '/' }]);
});

test('a target that is no path is a bad request', async () => {
  const answer = await gateway.ask('*', { method: 'OPTIONS' });
  expect([answer.status, answer.json]).toEqual([400, { message: 'Bad Request' }]);
});
