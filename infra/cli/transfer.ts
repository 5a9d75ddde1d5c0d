/** Users in and out, hashes included: nobody has to stay, or to ask everybody for a new password. */
import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { isoTime } from '../../functions/shared/domain/time.ts';
import type { User } from '../../functions/shared/domain/user.ts';
import { canonicalUsername } from '../../functions/shared/domain/username.ts';
import { now } from '../../functions/shared/runtime/clock.ts';
import type { StoreClient } from '../../functions/shared/store/client.ts';
import { accountsPutter, loginFinder, type Account } from '../../functions/shared/store/logins.ts';
import { Complaint } from '../local/complaint.ts';
import { allUsers } from './accounts-store.ts';
import { peppersIn, withStore } from './accounts.ts';
import { rowsIn, type Row } from './import-rows.ts';
import { accountFrom, RowRefused } from './import-user.ts';
import type { StackAccess } from './stack-access.ts';

/** So many calls are under way at once. */
const AT_ONCE = 32;
/** So many rows of an import share a call, which is most of what a row costs in time. */
const ROWS_A_CALL = 10;

/** How an import goes, for whoever watches it. */
export interface Watcher {
  /** @param done from 0 to 1 */
  progress(done: number, counts: Counts): void;
  refused(line: number, reason: string): void;
}

export interface Counts {
  readonly imported: number;
  /** Stood there already, from an earlier run that was cut off. */
  readonly present: number;
  readonly refused: number;
}

/**
 * Makes an account of each row, each as a whole. Cut off anywhere, it can be run again.
 *
 * @throws {Complaint} where the file cannot be read
 */
export const importUsers = (stack: StackAccess, file: string, watcher: Watcher): Promise<Counts> =>
  withStore(stack, async (client) => {
    const peppers = new Set(peppersIn(await stack.peppersSecret()).map(({ kid }) => kid));
    const counts = { imported: 0, present: 0, refused: 0 };
    const rows = rowsIn(file);
    const first = await rows.next();
    const size = Math.max(1, first.done ? 1 : statSync(file).size);
    const put = accountsPutter(client, stack.usersTable);
    const find = loginFinder(client, stack.usersTable);

    const refuse = (row: Row, error: unknown): void => {
      if (!(error instanceof RowRefused)) throw error;
      counts.refused += 1;
      watcher.refused(row.line, error.message);
    };
    const readRow = (row: Row): Read[] => {
      try {
        if (row.fields === undefined) throw new RowRefused('no JSON object');
        return [{ row, hasId: row.fields['id'] !== undefined, account: accountFrom(row.fields, peppers, now()) }];
      } catch (error) {
        refuse(row, error);
        return [];
      }
    };
    const importOne = async ({ row, account, hasId }: Read): Promise<void> => {
      if (await put([account])) counts.imported += 1;
      else if (await isPresent(account, hasId, find)) counts.present += 1;
      else refuse(row, new RowRefused('the username or the id is taken'));
    };
    const importAll = async (batch: readonly Row[]): Promise<void> => {
      const read = batch.flatMap(readRow);
      if (read.length > 1 && areDistinct(read) && (await put(read.map(({ account }) => account))))
        counts.imported += read.length;
      else for (const one of read) await importOne(one);
      watcher.progress(Math.min(1, Math.max(...batch.map((row) => row.read)) / size), counts);
    };
    // The first row by itself: what is wrong with the stack shows before many rows are under way.
    if (!first.done) await importAll([first.value]);
    await inParallel(batches(rows, ROWS_A_CALL), importAll);
    return counts;
  });

interface Read {
  readonly row: Row;
  readonly hasId: boolean;
  readonly account: Account;
}

/** A transaction takes each item once. */
const areDistinct = (read: readonly Read[]): boolean =>
  [read.map(({ account }) => account.name), read.map(({ account }) => account.user.id)].every(
    (keys) => new Set<string>(keys).size === keys.length,
  );

async function* batches<Item>(items: AsyncGenerator<Item>, size: number): AsyncGenerator<Item[]> {
  let batch: Item[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Whether an account stands there that an earlier run made of the same row. */
async function isPresent(
  { name, user, login }: Account,
  hasId: boolean,
  find: ReturnType<typeof loginFinder>,
): Promise<boolean> {
  const found = await find(name);
  // The hash of one who has logged in since is another by now; an id stays.
  return found !== undefined && (hasId ? found.userId === user.id : found.passwordHash === login.passwordHash);
}

/** Writes every user with their hash, one JSON object a line, for this user of the machine alone. @throws {Complaint} */
export const exportUsers = (stack: StackAccess, file: string, overwrite: boolean): Promise<number> =>
  withStore(stack, async (client) => {
    const unfinished = `${file}.unfinished`;
    if (!overwrite && exists(file)) throw new Complaint(`${file} is there already. --force writes over it.`);
    const handle = opened(unfinished);
    let count = 0;
    try {
      await inParallel(linesOf(client, stack), async (line) => {
        writeSync(handle, await line());
        count += 1;
      });
      closeSync(handle);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
    renameSync(unfinished, file);
    return count;
  });

async function* linesOf(client: StoreClient, stack: StackAccess): AsyncGenerator<() => Promise<string>> {
  const find = loginFinder(client, stack.usersTable);
  for await (const one of allUsers(client, stack.usersTable)) {
    if ('unreadable' in one) throw new Complaint(`A user cannot be read: ${one.unreadable}. Nothing was exported.`);
    yield async () => {
      const login = await find(canonicalUsername(one.user.username) ?? '');
      if (login?.userId !== one.user.id)
        throw new Complaint(`${one.user.username} has no login. Nothing was exported.`);
      return `${JSON.stringify(exported(one.user, login.passwordHash))}\n`;
    };
  }
}

/** A user as a row that an import takes. */
const exported = ({ id, username, displayName, email, status, roles, createdAt }: User, password: string) => ({
  id,
  username,
  password,
  ...(displayName !== undefined && { display_name: displayName }),
  ...(email !== undefined && { email }),
  status,
  ...(roles.length > 0 && { roles }),
  created_at: isoTime(createdAt),
});

const exists = (file: string): boolean => statSync(file, { throwIfNoEntry: false }) !== undefined;

function opened(file: string): number {
  try {
    rmSync(file, { force: true });
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Complaint(`${file} cannot be written (${code}).`);
  }
}

/** Does something with each item, {@link AT_ONCE} items at a time. Takes no further item after the first failure. */
async function inParallel<Item>(items: AsyncGenerator<Item>, act: (item: Item) => Promise<void>): Promise<void> {
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let next = await items.next(); !next.done && !failed; next = await items.next()) {
      await act(next.value).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
