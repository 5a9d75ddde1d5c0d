/** The folder in which local runs keep what outlives them. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Complaint } from './complaint.ts';
import { jsonOf, fieldsOf, textOf } from './fields.ts';
import { writePrivately } from './private-file.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** `LATCHKEY_DATA`, else `.latchkey` in the project, which git ignores. */
export const dataFolder = (): string => process.env['LATCHKEY_DATA'] ?? join(PROJECT, '.latchkey');

/** What a data folder holds, by purpose. */
export const filesIn = (folder: string) => ({
  engine: join(folder, 'engine'),
  secrets: join(folder, 'secrets.json'),
  kms: join(folder, 'kms.json'),
  stack: join(folder, 'stack.json'),
  keys: join(folder, 'keys.json'),
  mails: join(folder, 'mails.jsonl'),
  demoUser: join(folder, 'demo-user.json'),
  assembly: join(folder, 'cdk.out'),
  assemblyMade: join(folder, 'cdk.out.from'),
  lock: join(folder, 'lock'),
  sam: join(folder, 'sam'),
});

/** Whether a process of this machine is alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Takes a data folder for this process alone: two engines on one file would lose writes.
 *
 * @returns what gives it back
 * @throws {Complaint} where another process has it
 */
export function lock(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { lock: file } = filesIn(folder);
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch {
      const holder = Number(readOr(file, ''));
      if (holder > 0 && isAlive(holder)) {
        throw new Complaint(
          `Process ${holder} is using the data folder ${folder}. Stop it, or name another with LATCHKEY_DATA=….`,
        );
      }
      rmSync(file, { force: true });
    }
  }
}

/** Whether another process is using a data folder right now. */
export function isLocked(folder: string): boolean {
  const holder = Number(readOr(filesIn(folder).lock, ''));
  return holder > 0 && isAlive(holder);
}

/** What the last `npm start` in a folder deployed, for commands that come later. */
export interface LocalStackFile {
  readonly usersTable: string;
  readonly sessionsTable: string;
  readonly peppersSecret: string;
  readonly engineEndpoint: string;
}

/** @param output gives an output of the stack by its name */
export const stackFileOf = (output: (name: string) => string, engineEndpoint: string): LocalStackFile => ({
  usersTable: output('UsersTable'),
  sessionsTable: output('SessionsTable'),
  peppersSecret: output('PeppersSecret'),
  engineEndpoint,
});

export const writeStackFile = (folder: string, stack: LocalStackFile): void =>
  writePrivately(filesIn(folder).stack, `${JSON.stringify(stack, null, 2)}\n`);

/** @throws {Complaint} where nothing was ever started in the folder */
export function readStackFile(folder: string): LocalStackFile {
  const { stack: file } = filesIn(folder);
  const text = readOr(file, '');
  if (text === '') throw new Complaint('There is no local stack yet: run `npm start` once.');
  const fields = fieldsOf(jsonOf(text, file), file);
  return {
    usersTable: textOf(fields['usersTable'], file),
    sessionsTable: textOf(fields['sessionsTable'], file),
    peppersSecret: textOf(fields['peppersSecret'], file),
    engineEndpoint: textOf(fields['engineEndpoint'], file),
  };
}

/** The text of a file, or another where there is none. */
export function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
