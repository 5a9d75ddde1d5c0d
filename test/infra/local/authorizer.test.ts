import { afterEach, expect, jest, test } from '@jest/globals';
import { ECHO, type TinyGateway, type TinyStack, serveTinyStack } from './tiny-stack.ts';

let gateway: TinyGateway;
afterEach(() => gateway.close());

/** Does what the token says: `allow`, `deny`, `throw …`, or answers the JSON after `say `. Logs every call. */
const GUARD = `
exports.handler = async (event) => {
  process.stdout.write('asked ' + JSON.stringify(event) + '\\n');
  const word = event.authorizationToken.replace(/^Bearer /, '');
  if (word.startsWith('throw ')) throw new Error(word.slice(6));
  if (word.startsWith('say ')) return JSON.parse(word.slice(4));
  const statement = { Action: 'execute-api:Invoke', Effect: word === 'deny' ? 'Deny' : 'Allow', Resource: '*' };
  return {
    principalId: 'p-1',
    policyDocument: { Version: '2012-10-17', Statement: [statement] },
    context: { text: 'a', number: 7, flag: true },
  };
};`;

async function serve(properties: object = {}, more: TinyStack = {}): Promise<void> {
  gateway = await serveTinyStack({
    functions: { echo: ECHO, guard: GUARD },
    methods: { 'GET /guarded': '!echo', 'GET /other': '!echo', 'GET /open': 'echo', 'GET /deep/{id}': '!echo' },
    authorizer: { fn: 'guard', properties: { AuthorizerResultTtlInSeconds: 60, ...properties } },
    ...more,
  });
}
const get = (path: string, authorization?: string) =>
  gateway.ask(path, authorization === undefined ? {} : { headers: { authorization } });
const calls = () => gateway.logs.filter((line) => line.startsWith('asked '));
const saying = (answer: object) => `Bearer say ${JSON.stringify(answer)}`;
const policy = (...Statement: object[]) => ({ principalId: 'p', policyDocument: { Version: '2012-10-17', Statement } });
const allow = (Resource: unknown, Action: unknown = 'execute-api:Invoke') => ({ Effect: 'Allow', Action, Resource });

test('without the header, or with an empty one, it is 401 and the function is not asked', async () => {
  await serve();
  for (const header of [undefined, '']) {
    const answer = await get('/guarded', header);
    expect([answer.status, answer.json]).toEqual([401, { message: 'Unauthorized' }]);
  }
  expect(calls()).toEqual([]);
});

test('a value that does not match the whole validation expression counts as none', async () => {
  await serve({ IdentityValidationExpression: 'Bearer .+' });
  for (const header of ['Basic eA==', 'Bearer ', 'x Bearer allow'])
    expect((await get('/guarded', header)).status).toBe(401);
  expect(calls()).toEqual([]);
  expect((await get('/guarded', 'Bearer allow')).status).toBe(200);
});

test('the function gets token and method ARN, and nothing else', async () => {
  await serve();
  await get('/deep/a%20b?x=1', 'Bearer allow');
  const event = JSON.parse(calls()[0]?.slice('asked '.length) ?? '') as Record<string, string>;
  expect(Object.keys(event).sort()).toEqual(['authorizationToken', 'methodArn', 'type']);
  expect(event).toMatchObject({ type: 'TOKEN', authorizationToken: 'Bearer allow' });
  expect(event['methodArn']).toMatch(/^arn:aws:execute-api:us-east-1:000000000000:[a-z0-9]{10}\/v1\/GET\/deep\/a%20b$/);
});

test('a handler finds principal and context as texts', async () => {
  await serve();
  const event = (await get('/guarded', 'Bearer allow')).json as { requestContext: { authorizer: object } };
  expect(event.requestContext.authorizer).toEqual({
    principalId: 'p-1',
    text: 'a',
    number: '7',
    flag: 'true',
    integrationLatency: expect.any(Number),
  });
  expect((await get('/open')).json).not.toHaveProperty('requestContext.authorizer');
});

test('a denial is 403', async () => {
  await serve();
  const answer = await get('/guarded', 'Bearer deny');
  expect([answer.status, answer.header('x-amzn-ErrorType')]).toEqual([403, 'AccessDeniedException']);
});

test('a result serves every route for its time, denials too, and no other token', async () => {
  await serve({ AuthorizerResultTtlInSeconds: 3600 });
  for (const path of ['/guarded', '/other', '/guarded']) expect((await get(path, 'Bearer allow')).status).toBe(200);
  for (const path of ['/guarded', '/other']) expect((await get(path, 'Bearer deny')).status).toBe(403);
  expect(calls()).toHaveLength(2);
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + 3_601_000);
  await get('/guarded', 'Bearer allow');
  jest.restoreAllMocks();
  expect(calls()).toHaveLength(3);
});

test('a cached policy is evaluated for each route', async () => {
  await serve();
  const token = saying(policy(allow('arn:aws:execute-api:*:*:*/v1/GET/guarded')));
  expect((await get('/guarded', token)).status).toBe(200);
  expect((await get('/other', token)).status).toBe(403);
  expect(calls()).toHaveLength(1);
});

test('with a cache time of 0 the function is asked every time', async () => {
  await serve({ AuthorizerResultTtlInSeconds: 0 });
  await get('/guarded', 'Bearer allow');
  await get('/guarded', 'Bearer allow');
  expect(calls()).toHaveLength(2);
});

test('a function that throws is a 500 that is not cached; only the word Unauthorized is a 401', async () => {
  await serve();
  for (const cause of ['no key set', 'no key set']) {
    const answer = await get('/guarded', `Bearer throw ${cause}`);
    expect([answer.status, answer.header('x-amzn-ErrorType')]).toEqual([500, 'AuthorizerFailureException']);
  }
  expect(calls()).toHaveLength(2);
  expect((await get('/guarded', 'Bearer throw Unauthorized')).status).toBe(401);
});

test.each([
  ['no principal', { policyDocument: policy(allow('*')).policyDocument }],
  ['no policy', { principalId: 'p' }],
  ['no statement', policy()],
  ['an effect that is none', policy({ ...allow('*'), Effect: 'allow' })],
  ['a condition, which is not played', policy({ ...allow('*'), Condition: {} })],
  ['a variable, which is not played', policy(allow('arn:*:${aws:userid}'))],
  ['a statement that names no resource', policy({ Effect: 'Allow', Action: '*' })],
  ['an object in its context', { ...policy(allow('*')), context: { nested: {} } }],
])('an answer with %s is a 500', async (_what, answer) => {
  await serve();
  const { status, header } = await get('/guarded', saying(answer));
  expect([status, header('x-amzn-ErrorType')]).toEqual([500, 'AuthorizerConfigurationException']);
});

const DENY = { Effect: 'Deny', Action: 'execute-api:Invoke', Resource: '*/GET/other' };
test.each([
  ['a statement for everything', [allow('*')], 200],
  ['wildcards within the ARN', [allow('arn:aws:execute-api:us-east-1:000000000000:??????????/*/GET/guard?d')], 200],
  ['an action with a wildcard, in any case', [allow('*', 'Execute-API:*')], 200],
  ['one of several actions and resources', [allow(['x', '*'], ['s3:Get', 'execute-api:Invoke'])], 200],
  ['a deny of another route', [allow('*'), DENY], 200],
  ['a deny that comes first and an allow that comes last', [{ ...DENY, Resource: '*' }, allow('*')], 403],
  ['another route', [allow('*/GET/other')], 403],
  ['another method', [allow('*/POST/guarded')], 403],
  ['another action', [allow('*', 'execute-api:ManageConnections')], 403],
  ['only the start of the ARN', [allow('arn:aws:execute-api:us-east-1')], 403],
  ['a dot for any character', [allow('arn.aws.execute-api.*')], 403],
])('a policy with %s', async (_what, statements, status) => {
  await serve();
  expect((await get('/guarded', saying(policy(...statements)))).status).toBe(status);
});

test('a method in another case, or a resource in another case, is another one', async () => {
  await serve();
  for (const resource of ['*/get/guarded', '*/GET/Guarded', 'ARN:*'])
    expect([resource, (await get('/guarded', saying(policy(allow(resource))))).status]).toEqual([resource, 403]);
});

test('tokens that differ in case, or in white space, are asked about one by one', async () => {
  await serve();
  for (const token of ['Bearer allow', 'bearer allow', 'Bearer  allow']) await get('/guarded', token);
  expect(calls()).toHaveLength(3);
});

test('the header is found in any case', async () => {
  await serve();
  expect((await gateway.ask('/guarded', { headers: { AUTHORIZATION: 'Bearer allow' } })).status).toBe(200);
});

test('an authorizer that does not answer in its time is a 500 that is not cached', async () => {
  await serve(
    {},
    {
      functions: {
        echo: ECHO,
        guard: `exports.handler = () => new Promise(() => {});`,
      },
      of: { guard: { Timeout: 1 } },
    },
  );
  for (let ask = 0; ask < 2; ask += 1) {
    const answer = await get('/guarded', 'Bearer allow');
    expect([answer.status, answer.header('x-amzn-ErrorType')]).toEqual([500, 'AuthorizerFailureException']);
  }
  // Each was given up, and took its instance with it.
  expect(gateway.platform.filter((line) => line.startsWith('cold start of Tiny-guard'))).toHaveLength(2);
});

test('another kind of authorizer, or of identity source, is refused at the start', async () => {
  await expect(serve({ Type: 'REQUEST' })).rejects.toThrow('does not know authorizers of type REQUEST');
  await expect(serve({ IdentitySource: 'method.request.querystring.t' })).rejects.toThrow('identity source');
  await expect(serve({ AuthorizerResultTtlInSeconds: 3601 })).rejects.toThrow('kept for 0 to 3600 s, not 3601');
  await serve();
});
