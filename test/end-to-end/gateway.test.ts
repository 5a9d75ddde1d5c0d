import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rmSync } from 'node:fs';
import { startEngine, type Engine } from '../../infra/local/engine.ts';
import { startGateway, type Gateway } from '../../infra/local/gateway.ts';
import { inTime } from '../support/in-time.ts';
import { engineKind } from '../support/local-gateway.ts';
import { synthesize } from '../support/template.ts';

let folder: string;
let engine: Engine;
let gateway: Gateway;
const platform: string[] = [];

beforeAll(async () => {
  const synthesis = synthesize({ env: 'local', 'aws:cdk:enable-asset-metadata': true }, true);
  folder = synthesis.folder;
  engine = await startEngine({ kind: engineKind() });
  gateway = await startGateway({
    assembly: folder,
    engineEndpoint: engine.endpoint,
    environment: { BCRYPT_COST: '4' },
    onPlatform: (line) => platform.push(line),
  });
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

const login = () =>
  fetch(`${gateway.url}/api/token`, {
    method: 'POST',
    body: JSON.stringify({ username: `nobody-${Math.random()}`, password: 'a password of nobody' }),
    headers: { 'Content-Type': 'application/json' },
  });

test('renames the challenge of a function’s answer, as API Gateway does', async () => {
  const answer = await login();
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toBeNull();
  expect(answer.headers.get('x-amzn-remapped-www-authenticate')).toBe('Bearer realm="api"');
});

test('runs as many instances of a function as there are requests at once, and says how long each took to start', async () => {
  const before = platform.length;
  const answers = await Promise.all(Array.from({ length: 6 }, login));
  expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(401));
  const starts = platform.slice(before).filter((line) => /^cold start of .*Login.*: \d+ ms$/.test(line));
  expect(starts.length).toBeGreaterThan(1);
});

test('refuses a body over 10 MB with the gateway response of the template', async () => {
  const answer = await fetch(`${gateway.url}/api/token`, { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024 + 1) });
  expect(answer.status).toBe(413);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
});

test('another scheme than Bearer counts as no credentials', async () => {
  const answer = await fetch(`${gateway.url}/api/profile`, { headers: { Authorization: 'Basic YTpi' } });
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api"');
});

test('a dead store is a 503 within three seconds that says when to come back', async () => {
  await engine.stop();
  const took = await inTime(3_000, async () => {
    const answer = await login();
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });
  expect(took).toBeLessThan(3_000);
});
