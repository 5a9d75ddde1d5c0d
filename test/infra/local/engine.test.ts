import { afterEach, expect, test } from '@jest/globals';
import { DynamoDBClient, ListTablesCommand, CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { filesIn, isLocked, lock } from '../../../infra/local/data-folder.ts';
import { startEngine } from '../../../infra/local/engine.ts';

const folders: string[] = [];
const aFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-test-'));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const clientOf = (endpoint: string) =>
  new DynamoDBClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
const tablesOf = async (endpoint: string) => (await clientOf(endpoint).send(new ListTablesCommand({}))).TableNames;

test('keeps what is in its folder from one start to the next', async () => {
  const folder = aFolder();
  const first = await startEngine({ kind: 'dynoxide', folder });
  await clientOf(first.endpoint).send(
    new CreateTableCommand({
      TableName: 'kept',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  await first.stop();
  await expect(fetch(first.endpoint)).rejects.toThrow();
  const second = await startEngine({ kind: 'dynoxide', folder });
  expect(await tablesOf(second.endpoint)).toEqual(['kept']);
  await second.stop();
});

test('ends when its parent is killed', async () => {
  const script = join(aFolder(), 'parent.mjs');
  const engine = new URL('../../../infra/local/engine.ts', import.meta.url).href;
  writeFileSync(
    script,
    `const { startEngine } = await import('${engine}');
     console.log((await startEngine({ kind: 'dynoxide' })).endpoint);
     setInterval(() => {}, 1000);`,
  );
  const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const endpoint = await new Promise<string>((resolve) =>
    parent.stdout.once('data', (chunk: Buffer) => {
      resolve(chunk.toString().trim());
    }),
  );
  expect(await tablesOf(endpoint)).toEqual([]);
  parent.kill('SIGKILL');
  const isUp = () =>
    fetch(endpoint).then(
      () => true,
      () => false,
    );
  while (await isUp()) await sleep(50);
});

test('a data folder belongs to one process at a time, and a dead one does not count', () => {
  const folder = aFolder();
  const unlock = lock(folder);
  expect(isLocked(folder)).toBe(true);
  expect(() => lock(folder)).toThrow(/Process \d+ is using the data folder/);
  unlock();
  expect(isLocked(folder)).toBe(false);
  // No process has this number: it is larger than any system hands out.
  writeFileSync(filesIn(folder).lock, '99999999');
  lock(folder)();
});
