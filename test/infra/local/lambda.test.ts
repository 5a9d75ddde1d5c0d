import { afterEach, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { MOST_INSTANCES } from '../../../infra/local/lambda.ts';
import { listen } from '../../../infra/local/listen.ts';
import { type TinyGateway, type TinyStack, serveTinyStack } from './tiny-stack.ts';

let gateway: TinyGateway;
afterEach(() => gateway.close());

/** Serves one function at GET / from its handler's source. */
async function serve(handler: string, stack: TinyStack = {}, environment: Record<string, string> = {}): Promise<void> {
  gateway = await serveTinyStack(
    { functions: { one: handler }, methods: { 'ANY /': 'one' }, ...stack },
    { environment },
  );
}
const answering = (expression: string) =>
  `exports.handler = async (event, context) => ({ statusCode: 200, body: JSON.stringify(${expression}) });`;
const get = () => gateway.ask('/');
const BROKEN = [502, { message: 'Internal server error' }];
const starts = () => gateway.platform.filter((line) => line.startsWith('cold start of '));

test('a function has the variables of Lambda and of its template, and none of ours', async () => {
  process.env['SECRET_OF_THE_GATEWAY'] = 'not for functions';
  await serve(answering('process.env'), { of: { one: { Environment: { Variables: { OWN: 'yes' } } } } });
  const env = (await get()).json as Record<string, string>;
  expect(env).toMatchObject({
    OWN: 'yes',
    AWS_LAMBDA_FUNCTION_NAME: 'Tiny-one',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
  });
  for (const name of ['SECRET_OF_THE_GATEWAY', 'HOME', 'PATH']) expect(env).not.toHaveProperty(name);
});

test('an override reaches a function that declares the variable, and no other', async () => {
  const declared = { Environment: { Variables: { AUDIENCE: 'theirs', ISSUER: 'x' } } };
  await serve(answering('process.env'), { of: { one: declared } }, { AUDIENCE: 'ours', CLIENT_ID: 'ours' });
  const env = (await get()).json as Record<string, string>;
  expect([env['AUDIENCE'], env['ISSUER']]).toEqual(['ours', gateway.url]);
  expect(env).not.toHaveProperty('CLIENT_ID');
});

test('a handler gets Lambda’s context', async () => {
  await serve(answering('[context, context.getRemainingTimeInMillis()]'), { of: { one: { Timeout: 600 } } });
  const [context, left] = (await get()).json as [Record<string, unknown>, number];
  expect(context).toMatchObject({
    functionName: 'Tiny-one',
    functionVersion: '$LATEST',
    memoryLimitInMB: '256',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:Tiny-one',
    awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(left).toBeGreaterThan(300_000);
  expect(left).toBeLessThanOrEqual(600_000);
});

test('an instance serves one request at a time and is used again', async () => {
  await serve(`
    let busy = 0, most = 0, served = 0;
    exports.handler = async () => {
      most = Math.max(most, ++busy);
      await new Promise((done) => setTimeout(done, 50));
      busy--;
      return { statusCode: 200, body: JSON.stringify({ most, served: ++served }) };
    };`);
  const together = await Promise.all([get(), get(), get()]);
  expect(together.map(({ json }) => json)).toEqual(Array(3).fill({ most: 1, served: 1 }));
  expect(starts()).toHaveLength(3);
  expect((await get()).json).toEqual({ most: 1, served: 2 });
  expect(starts()).toHaveLength(3);
  expect(starts()[0]).toMatch(/^cold start of Tiny-one: \d+ ms$/);
});

test('beyond the most instances requests wait their turn', async () => {
  const held: ServerResponse[] = [];
  // No instance is free again before all of them are busy.
  const door = createServer((_request, response) => {
    held.push(response);
    if (held.length >= MOST_INSTANCES) for (const one of held) one.end();
  });
  const { endpoint, close } = await listen(door, { host: '127.0.0.1', port: 0 });
  await serve(
    `exports.handler = async () => {
      await fetch('${endpoint}');
      return { statusCode: 200 };
    };`,
    { integration: { TimeoutInMillis: 300_000 } },
  );
  const answers = await Promise.all(Array.from({ length: MOST_INSTANCES * 2 }, get));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(starts()).toHaveLength(MOST_INSTANCES);
  await close();
});

test('the lines a function writes come before its answer, in order, from both streams', async () => {
  await serve(`exports.handler = async () => {
    process.stdout.write('first ');
    process.stdout.write('line\\nsecond line\\n');
    console.log('third', { line: 3 });
    process.stderr.write('without an end');
    return { statusCode: 200 };
  };`);
  await get();
  expect(gateway.logs).toEqual(['first line', 'second line', 'third { line: 3 }', 'without an end']);
});

test('a handler that throws is a 502, and its instance goes on', async () => {
  await serve(
    `let calls = 0; exports.handler = async () => { if (++calls === 1) throw new TypeError('oh'); return { statusCode: 200, body: String(calls) }; };`,
  );
  const answer = await get();
  expect([answer.status, answer.json]).toEqual(BROKEN);
  expect(answer.text).not.toContain('oh');
  expect((await get()).text).toBe('2');
  expect(gateway.platform.join('\n')).toMatch(/Tiny-one failed: TypeError: oh\n\s+at .*index\.js/);
});

test.each([
  ['exits', 'process.exit(3)'],
  ['throws outside of its handler', "setTimeout(() => { throw new Error('late'); }); await new Promise(() => {})"],
  ['rejects unheard', "Promise.reject(new Error('unheard')); await new Promise(() => {})"],
  ['takes more memory than it has', 'globalThis.all = Array.from({ length: 400 }, () => new Array(1e5).fill(0.5))'],
])('an instance that %s is a 502, and the next request gets a new one', async (_what, statement) => {
  await serve(
    `let calls = 0; exports.handler = async (event) => { calls += 1; if (event.body) { ${statement} } return { statusCode: 200, body: String(calls) }; };`,
    { of: { one: { MemorySize: 128 } } },
  );
  const answer = await gateway.ask('/', { method: 'POST', body: 'crash' });
  expect([answer.status, answer.json]).toEqual(BROKEN);
  expect((await get()).text).toBe('1');
});

test('an instance that crashes after its answer does not cost the next request anything', async () => {
  await serve(`exports.handler = async () => { setTimeout(() => process.exit(1), 20); return { statusCode: 200 }; };`);
  expect((await get()).status).toBe(200);
  const ENDED = 'Tiny-one failed between two requests: Runtime.ExitError: Runtime exited with status 1';
  while (!gateway.platform.includes(ENDED)) await sleep(20);
  expect((await get()).status).toBe(200);
  expect(starts()).toHaveLength(2);
});

test('a function that cannot be loaded is a 502, every time', async () => {
  await serve(`throw new Error('no module');`);
  expect((await get()).status).toBe(502);
  expect((await get()).status).toBe(502);
  expect(gateway.platform[0]).toContain('no module');
});

test('a function that does not answer within its own timeout is a 502, even in an endless loop', async () => {
  await serve(`exports.handler = async () => { for (;;); };`, { of: { one: { Timeout: 1 } } });
  const answer = await get();
  expect([answer.status, answer.json]).toEqual(BROKEN);
  expect(gateway.platform.join('\n')).toContain('Task timed out after 1.00 seconds');
});

test('an integration that takes too long is a 504, while the function goes on', async () => {
  await serve(
    `exports.handler = async () => { await new Promise((done) => setTimeout(done, 400)); process.stdout.write('done\\n'); return { statusCode: 200 }; };`,
    { integration: { TimeoutInMillis: 100 } },
  );
  const answer = await get();
  expect([answer.status, answer.json]).toEqual([504, { message: 'Endpoint request timed out' }]);
  while (gateway.logs.length === 0) await sleep(20);
  expect(gateway.logs).toEqual(['done']);
});

test('an answer over 6 MB is a 502', async () => {
  await serve(`exports.handler = async () => ({ statusCode: 200, body: 'x'.repeat(6 * 1024 * 1024) });`);
  expect((await get()).status).toBe(502);
});

test('a bundle stands alone: no package of the project, no package.json above it', async () => {
  await serve(answering(`(() => { try { return require.resolve('jose'); } catch (error) { return error.code; } })()`));
  expect((await get()).json).toBe('MODULE_NOT_FOUND');
});

test('what was unpacked is gone after the end, and a function in progress is ended', async () => {
  await serve(answering('process.env.LAMBDA_TASK_ROOT'));
  const folder = (await get()).json as string;
  expect(existsSync(folder)).toBe(true);
  await gateway.close();
  expect(existsSync(folder)).toBe(false);
});

test('a handler that asks for a callback does not start, as on Lambda’s Node 24', async () => {
  await serve(`exports.handler = (event, context, callback) => callback(null, { statusCode: 200 });`);
  expect((await get()).status).toBe(502);
  expect(gateway.platform.join()).toContain('takes a callback');
});

test('an answer that is no JSON is a 502, and its instance goes on', async () => {
  await serve(`let calls = 0; exports.handler = async () => {
    const answer = { statusCode: 200, body: String(++calls) };
    if (calls === 1) answer.self = answer;
    return answer;
  };`);
  expect([(await get()).status, (await get()).text]).toEqual([502, '2']);
});

test('an instance has its own memory, and no function sees what another keeps', async () => {
  const handler = answering('globalThis.kept = (globalThis.kept ?? 0) + 1');
  await serve(handler, {
    functions: { one: handler, two: handler },
    methods: { 'GET /one': 'one', 'GET /two': 'two' },
  });
  const kept = [];
  for (const path of ['/one', '/one', '/two']) kept.push((await gateway.ask(path)).json);
  expect(kept).toEqual([1, 2, 1]);
});
