/** The operators' command as they run it, in a process of its own, on a store with nothing else in it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { loginFrom } from '../../functions/shared/store/logins.ts';
import { PREFIX, USERS_KEY } from '../../functions/shared/store/schema.ts';
import { userFrom } from '../../functions/shared/store/users.ts';
import type { StoreClient } from '../../functions/shared/store/client.ts';
import type { Login, User } from '../../functions/shared/domain/user.ts';
import { passwordsWith } from '../../functions/shared/password/hash.ts';
import { sharedSecretsFrom } from '../../functions/shared/token/key-ring.ts';
import type { StackAccess } from '../../infra/cli/stack-access.ts';
import { filesIn, writeStackFile } from '../../infra/local/data-folder.ts';
import { secretsStore } from '../../infra/local/secrets-store.ts';
import { START } from './clock.ts';
import { newKeyTexts } from './keys.ts';
import { ofThisMachine } from './machine.ts';
import { startTables } from './tables.ts';

/** The command's source, for tests that start it in a way of their own. */
export const USERS_COMMAND = fileURLToPath(new URL('../../infra/cli/users.ts', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Given {
  /** What stands on standard input; nothing unless told. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Kills the process after so many milliseconds. */
  readonly killAfter?: number;
}

export interface Stored {
  readonly logins: ReadonlyMap<string, Login>;
  readonly users: ReadonlyMap<string, User>;
}

export interface Operators {
  readonly access: StackAccess;
  readonly client: StoreClient;
  /** The whole environment the command gets. */
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], given?: Given): Promise<Ran>;
  /** Every login by name and every user by id. @throws {Error} where one of an account's two items is without the other */
  stored(): Promise<Stored>;
  /** Whether a password opens an account. */
  fits(username: string, password: string): Promise<boolean>;
  close(): Promise<void>;
}

const PEPPERS = 'peppers';

export async function operators(): Promise<Operators> {
  const engine = await startTables();
  const { endpoint, names, client } = engine;
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-users-'));
  const tables = { usersTable: names.users, sessionsTable: names.sessions };
  const { peppers } = await newKeyTexts();
  const access: StackAccess = {
    ...tables,
    dynamoDbEndpoint: endpoint,
    peppersSecret: () => Promise.resolve(peppers),
    close: () => Promise.resolve(),
  };
  writeStackFile(folder, { ...tables, peppersSecret: PEPPERS, engineEndpoint: endpoint });
  secretsStore(filesIn(folder).secrets).declareSecret(PEPPERS, PEPPERS, peppers);

  const env = {
    ...ofThisMachine(),
    HOME: folder,
    LATCHKEY_DATA: folder,
    DYNAMODB_ENDPOINT: endpoint,
    BCRYPT_COST: '4',
  };
  const passwords = passwordsWith(
    () => Promise.resolve(sharedSecretsFrom(peppers)),
    4,
    () => START,
  );
  const stored = async () => storedIn(await allItems(client, tables.usersTable));
  return {
    access,
    client,
    env,
    run: (args, given = {}) => ran(args, { ...given, env: { ...env, ...given.env } }),
    stored,
    async fits(username, password) {
      const login = (await stored()).logins.get(username);
      return login !== undefined && passwords.matches(password, login.passwordHash);
    },
    async close() {
      await engine.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ran(args: readonly string[], { input = '', env, killAfter }: Given): Promise<Ran> {
  const child = spawn(process.execPath, [USERS_COMMAND, ...args], { env });
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
  // A command that refuses does not read to the end.
  child.stdin.on('error', () => undefined).end(input);
  child.on('error', reject).on('close', (code) => resolve({ code, ...said }));
  if (killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter);
  return promise;
}

type Item = Record<string, unknown>;

async function allItems(client: StoreClient, TableName: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  let next: Item | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey: next }));
    items.push(...(page.Items ?? []));
    next = page.LastEvaluatedKey;
  } while (next !== undefined);
  return items;
}

function storedIn(items: readonly Item[]): Stored {
  const ofKind = <Value>(prefix: string, read: (item: Item) => Value) =>
    new Map(
      items
        .map((item) => ({ item, key: String(item[USERS_KEY.partition]) }))
        .filter(({ key }) => key.startsWith(prefix))
        .map(({ item, key }): [string, Value] => [key.slice(prefix.length), read(item)]),
    );
  const logins = ofKind(PREFIX.login, loginFrom);
  const users = ofKind(PREFIX.user, userFrom);
  if (logins.size !== users.size) throw new Error(`${logins.size} logins, but ${users.size} users`);
  for (const [name, { userId, passwordVersion }] of logins) {
    const user = users.get(userId);
    if (user?.passwordVersion !== passwordVersion) throw new Error(`half an account: ${name}`);
  }
  return { logins, users };
}
