import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENDPOINTS, UNROUTED, partsOf, type Endpoint } from '../../../infra/endpoints.ts';
import { readAssembly } from '../../../infra/local/assembly.ts';
import { functionFrom } from '../../../infra/local/lambda.ts';
import { EVENTS } from '../../../infra/local/sam-services.ts';
import { expectAnswered, sourceOf, startSamRun, type SamRun } from '../../support/sam-run.ts';

const FUNCTIONS = Object.keys({ ...ENDPOINTS, ...UNROUTED }).toSorted();
const routed = new Set(
  Object.values<Endpoint>(ENDPOINTS).flatMap(({ routes }) => routes.map((one) => partsOf(one).path)),
);

let run: SamRun;
beforeAll(async () => {
  run = await startSamRun();
});
afterAll(() => run.close());

const sources = () =>
  new Map([...run.template.functions.values()].map((fn) => [fn.logicalId, sourceOf(fn.resourceId)]));

test('SAM finds every function under its own name, with its bundle and nothing to fetch', () => {
  const functions = [...run.template.functions.values()];
  expect([...sources().values()].toSorted()).toEqual(FUNCTIONS);
  for (const { code, handler, layers, runtime } of functions) {
    expect([handler, layers, runtime]).toEqual(['index.handler', [], 'nodejs24.x']);
    expect(readdirSync(code ?? '')).toEqual(['index.cjs']);
  }
});

test('SAM runs them on the processor of this machine, without emulation', () => {
  const own = arch() === 'arm64' ? 'arm64' : 'x86_64';
  for (const { architectures } of run.template.functions.values()) expect(architectures).toEqual([own]);
});

test('SAM serves every route with its function, and everything else with the fallback', () => {
  const served = run.template.routes.map(({ method, path, fn }) => `${method} ${path}: ${sources().get(fn) ?? fn}`);
  const routes = Object.entries<Endpoint>(ENDPOINTS).flatMap(([name, { routes }]) =>
    routes.map((one) => `${one}: ${name}`),
  );
  expect(served.filter((row) => !row.startsWith('ANY ')).toSorted()).toEqual(routes.toSorted());
  const any = served.filter((row) => row.startsWith('ANY '));
  expect(any.every((row) => row.endsWith(': fallback'))).toBe(true);
  for (const path of [...routed, '/', '/{proxy+}']) expect(any).toContain(`ANY ${path}: fallback`);
  expect(run.template.stage).toBe('v1');
});

test('SAM asks the authorizer for the routes behind it and for no others', () => {
  const guarded = Object.values<Endpoint>(ENDPOINTS)
    .filter(({ guard }) => guard === 'bearer')
    .flatMap(({ routes }) => routes.map(partsOf))
    .map(({ method, path }) => `${method} ${path}`);
  const asked = run.template.routes.filter(({ authorizer }) => authorizer !== undefined);
  expect(asked.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(guarded.toSorted());
  const [[id, authorizer] = [], ...others] = run.template.authorizers;
  expect(others).toEqual([]);
  expect(new Set(asked.map((route) => route.authorizer))).toEqual(new Set([id]));
  expect({ ...authorizer, fn: sources().get(authorizer?.fn ?? '') }).toEqual({
    type: 'token',
    fn: 'authorizer',
    identitySources: ['method.request.header.Authorization'],
    validation: '^[Bb][Ee][Aa][Rr][Ee][Rr] .+$',
  });
});

test('the file for --env-vars names only declared variables, and leads none to AWS or to nowhere', () => {
  const { environment, url } = run.services;
  for (const [logicalId, fn] of run.template.functions) {
    const overrides = environment[logicalId] ?? {};
    const declared = fn.environment({});
    expect(Object.keys(overrides).filter((name) => !(name in declared))).toEqual([]);
    const inside = fn.environment(overrides);
    for (const [name, value] of Object.entries(inside)) {
      expect([logicalId, name, value === '' || value.includes('amazonaws') || value.endsWith(':9')]).toEqual([
        logicalId,
        name,
        false,
      ]);
      if (name.endsWith('ENDPOINT')) expect(value).toBe(url);
      if (/_(TABLE|SECRET|PARAMETER)$/.test(name)) expect(value).toContain('Latchkey-local');
    }
  }
});

test('every function has an event, and no event is without a function', () => {
  expect([...run.services.events].toSorted()).toEqual(FUNCTIONS);
  expect(readdirSync(EVENTS).every((file) => file.endsWith('.json'))).toBe(true);
});

test.each(FUNCTIONS)('%s answers its event in the environment that SAM gives it', async (name) => {
  const [logicalId = ''] = [...sources()].find(([, source]) => source === name) ?? [];
  const assembly = readAssembly(run.folder);
  const resource = assembly.ofType('AWS::Lambda::Function').find(({ id }) => id === logicalId)!;
  const root = mkdtempSync(join(tmpdir(), 'latchkey-sam-'));
  const inside = run.template.functions.get(logicalId)!.environment(run.services.environment[logicalId] ?? {});
  const fn = functionFrom(resource, assembly, root, {
    onOutput: () => undefined,
    onPlatform: () => undefined,
    overridesOf: () => ({ ...inside, BCRYPT_COST: '4' }),
  });
  try {
    const outcome = await fn.invoke(JSON.parse(await run.services.event(name)));
    expect(outcome).toMatchObject({ kind: 'answer' });
    if (outcome.kind === 'answer') expectAnswered(name, outcome.json, run.outcomes);
  } finally {
    await fn.close();
    rmSync(root, { recursive: true });
  }
  expect(existsSync(root)).toBe(false);
});

test('an event that asks for what there is none of is refused by name', async () => {
  await expect(run.services.event('nobody')).rejects.toThrow('nobody.json');
});

test('the door leads to the store, the secrets, KMS and the key set, and nowhere else', async () => {
  const { url } = run.services;
  const ask = async (path: string, init?: RequestInit) => (await fetch(url + path, init)).status;
  const target = (name: string) => ({ method: 'POST', body: '{}', headers: { 'X-Amz-Target': name } });
  const credentials = { accessKeyId: 'defaultkey', secretAccessKey: 'defaultsecret' };
  const store = new DynamoDBClient({ endpoint: url, region: 'us-east-1', credentials });
  expect((await store.send(new ListTablesCommand({}))).TableNames).toHaveLength(2);
  store.destroy();
  expect(await ask('/', target('secretsmanager.RotateSecret'))).toBe(400);
  expect(await ask('/', target('TrentService.ListKeys'))).toBe(200);
  expect(await ask('/.well-known/jwks.json')).toBe(200);
  expect(await ask('/api/token', { method: 'POST', body: '{}' })).toBe(404);
  expect(await ask('/')).toBe(404);
});
