/**
 * What the first request of a cold authorizer waits for, by how the key set is served and when it is fetched.
 *
 *     npm run bench:key-set [-- ROUNDS]      10 unless told
 *
 * An instance is a process of Node's own that loads a bundle and then gets one event, as Lambda's runtime does it. The start
 * of a machine, of the runtime's sandbox and of the Secrets extension are not in it. Rounds are interleaved, so that
 * whatever else this machine does falls on all rows alike; the ratios travel, the times do not.
 */
import { buildSync } from 'esbuild';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLE_FILE, PROJECT_ROOT, bundle } from '../../infra/bundling/options.ts';
import { apiEvent } from '../support/events.ts';
import { newKeyTexts } from '../support/keys.ts';
import { isInKms, signingRingFrom } from '../../functions/shared/token/key-ring.ts';
import { now } from '../../functions/shared/runtime/clock.ts';
import { after } from '../../functions/shared/domain/time.ts';
import { forgerWith } from '../support/forge.ts';
import { goodClaims, TERMS } from '../support/tokens.ts';

const rounds = Number(process.argv[2] ?? '10');
const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
const keys = await newKeyTexts();

/** Loads a handler, says so, and answers one event. */
const RUNTIME = `const { handler } = require(process.argv[2]);
process.on('message', async (event) => process.send({ answer: await handler(event) }));
process.send('ready');`;
const runtime = join(folder, 'runtime.cjs');
writeFileSync(runtime, RUNTIME);

/** The authorizer without the fetch that it begins with, built like the other. */
function authorizerFrom(change: (source: string) => string, name: string): string {
  const resolveDir = join(PROJECT_ROOT, 'functions/authorizer');
  const contents = change(readFileSync(join(resolveDir, 'handler.ts'), 'utf8'));
  const outfile = join(folder, name, BUNDLE_FILE);
  const stdin = { contents, resolveDir, loader: 'ts' } as const;
  buildSync({ stdin, outfile, bundle: true, platform: 'node', target: 'node24', format: 'cjs', minify: true });
  return outfile;
}
const FETCH = 'keySet.fetchAhead();\n';
const authorizers = {
  ahead: authorizerFrom((source) => source, 'ahead'),
  onRequest: authorizerFrom((source) => {
    if (!source.includes(FETCH)) throw new Error('The authorizer no longer begins with a fetch.');
    return source.replace(FETCH, '');
  }, 'on-request'),
};
bundle('jwks', join(folder, 'jwks'));
const jwks = join(folder, 'jwks', BUNDLE_FILE);
mkdirSync(join(folder, 'empty'));
const empty = join(folder, 'empty', BUNDLE_FILE);
writeFileSync(empty, 'exports.handler = async () => ({});');

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Milliseconds that whoever sent the first event waits: for a cold instance from its start on, else from the event on. */
async function firstAnswer(file: string, env: NodeJS.ProcessEnv, event: object, idle = 0) {
  let startedAt = performance.now();
  const child: ChildProcess = fork(runtime, [file], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  await once(child, 'message');
  if (idle > 0) {
    await wait(idle);
    startedAt = performance.now();
  }
  child.send(event);
  const [{ answer }] = (await once(child, 'message')) as [{ answer: Record<string, unknown> }];
  const took = performance.now() - startedAt;
  child.kill();
  return { took, answer };
}

const parameters = createServer((_request, response) =>
  response.end(JSON.stringify({ Parameter: { Value: keys.published } })),
);
const SECRETS_ENDPOINT = await listen(parameters);
const jwksEnvironment = { ISSUER: TERMS.issuer, PUBLIC_KEYS_PARAMETER: '/keys', SECRETS_ENDPOINT };
const jwksEvent = apiEvent({ method: 'GET', resource: '/.well-known/jwks.json' });

/** Answers at once, as a stored object or an instance that runs already. */
const atOnce = createServer((_request, response) => response.end(keys.published));
/** Starts an instance of the function for every request. */
const cold = createServer((_request, response) => {
  void firstAnswer(jwks, jwksEnvironment, jwksEvent).then(({ answer }) => response.end(String(answer['body'])));
});
const [AT_ONCE, COLD] = [await listen(atOnce), await listen(cold)];

const [key] = signingRingFrom(keys.signing);
if (key === undefined || isInKms(key)) throw new Error('a ring without keys');
const token = forgerWith(key)(
  { alg: key.alg, typ: 'at+jwt', kid: key.kid },
  { ...goodClaims, iat: now(), exp: after(now(), TERMS.lifetime) },
);
const bearer = { type: 'TOKEN', authorizationToken: `Bearer ${token}`, methodArn: 'arn:aws:execute-api:r:1:a/v1/GET/' };
const authorizer = (file: string, JWKS_URL: string, idle?: number) => async () => {
  const env = { ISSUER: TERMS.issuer, AUDIENCE: TERMS.audience, JWKS_URL };
  const { took, answer } = await firstAnswer(file, env, bearer, idle);
  if (answer['principalId'] !== goodClaims.sub) throw new Error('The authorizer did not let a good token in.');
  return took;
};

const ROWS: Readonly<Record<string, () => Promise<number>>> = {
  'an empty function, cold': async () => (await firstAnswer(empty, {}, {})).took,
  'the key set function, cold': async () => (await firstAnswer(jwks, jwksEnvironment, jwksEvent)).took,
  'authorizer, set served at once, fetched on request': authorizer(authorizers.onRequest, AT_ONCE),
  'authorizer, set served at once, fetched ahead': authorizer(authorizers.ahead, AT_ONCE),
  'authorizer, set from a cold function, fetched on request': authorizer(authorizers.onRequest, COLD),
  'authorizer, set from a cold function, fetched ahead': authorizer(authorizers.ahead, COLD),
  'started 300 ms before its event, cold function, on request': authorizer(authorizers.onRequest, COLD, 300),
  'started 300 ms before its event, cold function, ahead': authorizer(authorizers.ahead, COLD, 300),
};

const samples = new Map(Object.keys(ROWS).map((name) => [name, [] as number[]]));
for (let round = 0; round < rounds; round += 1) {
  for (const [name, measure] of Object.entries(ROWS)) samples.get(name)?.push(await measure());
}
for (const server of [parameters, atOnce, cold]) {
  server.closeAllConnections();
  server.close();
}
rmSync(folder, { recursive: true });

/** The value that a share of all is not above. */
const quantile = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? NaN;
const [base = []] = [...samples.values()];
const column = (values: readonly number[], share: number) =>
  `${quantile(values, share).toFixed(1).padStart(7)} ms  x${(quantile(values, share) / quantile(base, share)).toFixed(2)}`;
process.stdout.write(`${' '.repeat(60)} fastest quarter           median\n`);
for (const [name, values] of samples) {
  process.stdout.write(`${name.padEnd(60)} ${column(values, 0.25)}  ${column(values, 0.5)}\n`);
}
