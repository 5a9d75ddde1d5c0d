import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readStackFile } from '../../../infra/local/data-folder.ts';
import { listen } from '../../../infra/local/listen.ts';

const START = fileURLToPath(new URL('../../../infra/local/start.ts', import.meta.url));
const KEYS = fileURLToPath(new URL('../../../infra/cli/keys.ts', import.meta.url));
const SAM = fileURLToPath(new URL('../../../infra/local/sam.ts', import.meta.url));
let data: string;
let running: Start;
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'latchkey-start-'));
  running = start({ KEY_REFRESH_SECONDS: '1' });
  await running.printed('Ctrl-C');
});
afterAll(async () => {
  await running.stop('SIGKILL');
  rmSync(data, { recursive: true });
});

interface Start {
  /** Everything on standard output so far, once it has `text` in it. */
  printed(text: string): Promise<string>;
  errors(): string;
  stop(signal: NodeJS.Signals): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

const start = (env: Record<string, string> = {}, ...args: string[]) => run(START, env, args);

function run(script: string, env: Record<string, string>, args: readonly string[] = []): Start {
  const child: ChildProcess = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, LATCHKEY_DATA: data, PORT: '0', BCRYPT_COST: '4', ...env },
  });
  let out = '';
  let errors = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    ended,
    errors: () => errors,
    printed: async (text) => {
      while (!out.includes(text)) {
        if (child.exitCode !== null) throw new Error(`it ended: ${errors}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return out;
    },
    stop: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

async function refusal(env: Record<string, string>, ...args: string[]): Promise<string> {
  const refused = start(env, ...args);
  expect(await refused.ended).toBe(1);
  return refused.errors();
}

test('the lines it prints work when they are pasted one after the other', async () => {
  const out = await running.printed('Ctrl-C');
  const lines = out.split('\n').filter((line) => /^(PAIR=|curl )/.test(line));
  expect(lines).toHaveLength(3);
  const { stdout: shown } = await promisify(execFile)('sh', ['-c', lines.join('; echo;')]);
  const [pair = '', profile = '', renewed = ''] = shown.split('\n').filter((line) => line !== '');
  expect(Object.keys(Object(JSON.parse(pair)) as object)).toEqual(['access', 'refresh', 'device_token']);
  expect(JSON.parse(profile)).toMatchObject({ username: 'demo' });
  expect(Object.keys(Object(JSON.parse(renewed)) as object)).toEqual(['access', 'refresh']);
});

test('the first address it prints is that of the demo page, which has no pass-phrase in it', async () => {
  const out = await running.printed('Ctrl-C');
  const [first = ''] = /http:\S+/.exec(out) ?? [];
  const page = await fetch(first);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(out).toContain(`Open ${first}/ in a browser`);
  const passphrase = /^Pass-phrase: (.*)$/m.exec(out)?.[1] ?? '';
  expect(await page.text()).not.toContain(passphrase);
});

test('the demo pass-phrase is long enough for the policy and in a file for its owner only', async () => {
  const passphrase = /^Pass-phrase: (.*)$/m.exec(await running.printed('Pass-phrase'))?.[1] ?? '';
  expect(passphrase.length).toBeGreaterThanOrEqual(15);
  for (const file of ['demo-user.json', 'secrets.json']) expect(statSync(join(data, file)).mode & 0o777).toBe(0o600);
});

test('the keys command rotates what it serves, and what is rotated is in its key set', async () => {
  const url = /ready at (\S+)/.exec(await running.printed('ready at'))?.[1] ?? '';
  const keys = (...args: string[]) =>
    promisify(execFile)(process.execPath, [KEYS, ...args], { env: { ...process.env, LATCHKEY_DATA: data } });
  await keys('rotate');
  const { stdout } = await keys('list', '--json');
  const listed = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(listed.map(({ kind, state }) => `${String(kind)} ${String(state)}`)).toEqual([
    'signing-keys current',
    'signing-keys next',
    'refresh-secrets current',
    'refresh-secrets next',
    'peppers current',
  ]);
  const published = async () => {
    const set = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] };
    return set.keys.map(({ kid }) => kid);
  };
  // The function keeps what it served before for as long as the setting says.
  let kids = await published();
  for (; kids.length < 2; kids = await published()) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(kids).toEqual(listed.slice(0, 2).map(({ kid }) => kid));
});

test('a second start on the same data folder is refused in one line', async () => {
  expect(await refusal({})).toMatch(/^Process \d+ is using the data folder .*\n$/);
});

test.each([
  [
    'a setting',
    { ACCESS_TOKEN_LIFETIME_SECONDS: 'soon' },
    /^Setting accessTokenLifetime \(ACCESS_TOKEN_LIFETIME_SECONDS\) must be .*\n$/,
  ],
  ['a choice', { CLIENT_PRINT: 'face' }, /^Setting clientPrint \(CLIENT_PRINT\) must be one of .*\n$/],
  ['the port', { PORT: 'http' }, /^PORT must be a number from 0 to 65535, not "http"\.\n$/],
])('%s that is wrong is refused in one line', async (_what, env, line) => {
  expect(await refusal(env)).toMatch(line);
});

test('an option that it does not have is refused in one line', async () => {
  expect(await refusal({}, '--frsh')).toBe('Usage: npm start [-- --fresh]\n');
});

test('it stops on Ctrl-C with everything it started, and starts again with its data', async () => {
  const passphrase = /^Pass-phrase: .*$/m.exec(await running.printed('Pass-phrase'))?.[0];
  const { engineEndpoint } = readStackFile(data);
  expect((await fetch(engineEndpoint)).status).toBeGreaterThan(0);
  expect(await running.stop('SIGINT')).toBe(0);
  expect(running.errors()).toBe('');
  await expect(fetch(engineEndpoint)).rejects.toThrow();

  const taken = await listen(createServer(), { host: '127.0.0.1', port: 0 });
  const port = new URL(taken.endpoint).port;
  expect(await refusal({ PORT: port })).toBe(`127.0.0.1:${port} is in use. Name another with PORT=… or HOST=….\n`);
  await taken.close();

  running = start();
  expect(await running.printed('Ctrl-C')).toContain(passphrase);
  expect(await running.printed('Ctrl-C')).not.toContain('Synthesizing');
  expect(await running.stop('SIGTERM')).toBe(0);
});

test('the services for SAM start on the same data, leave their files to their owner and stop on Ctrl-C', async () => {
  const sam = run(SAM, { HOST: '127.0.0.1' });
  const out = await sam.printed('sam local invoke');
  const template = join(data, 'cdk.out', 'Latchkey-local.template.json');
  expect(out).toContain(`sam local start-api -t ${relative(process.cwd(), template)} --env-vars `);
  expect(out).not.toContain('Synthesizing');
  const files = readdirSync(join(data, 'sam'));
  expect(files).toEqual(expect.arrayContaining(['env.json', 'login.json', 'authorizer.json', 'make-keys.json']));
  for (const file of files) {
    expect(statSync(join(data, 'sam', file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(data, 'sam', file), 'utf8')).not.toContain('{{');
  }
  expect(await refusal({})).toContain('is using the data folder');
  expect(await sam.stop('SIGINT')).toBe(0);
  expect(sam.errors()).toBe('');
});
