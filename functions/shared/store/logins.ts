import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { textIn, wholeNumberIn, type Members } from '../domain/unknown.ts';
import type { Login, User } from '../domain/user.ts';
import { conditional, reached, type StoreClient } from './client.ts';
import { checkVersion, storedUserId } from './items.ts';
import { loginKey, SCHEMA_VERSION } from './schema.ts';
import { transacted } from './transactions.ts';
import { userItem } from './users.ts';

export type FindLogin = (name: string) => Promise<Login | undefined>;

/** Consistent, because a password that was changed must not pass once more. */
export const loginFinder =
  (client: StoreClient, table: string): FindLogin =>
  async (name) => {
    const { Item } = await reached(
      client.send(new GetCommand({ TableName: table, Key: loginKey(name), ConsistentRead: true })),
    );
    return Item && loginFrom(Item);
  };

/** Replaces a hash by one of the same password in the current scheme; does nothing where it has changed meanwhile. */
export type ReplaceHash = (name: string, read: Login, hash: string) => Promise<void>;

export const hashReplacer =
  (client: StoreClient, table: string): ReplaceHash =>
  async (name, read, hash) => {
    const update = new UpdateCommand({
      TableName: table,
      Key: loginKey(name),
      ConditionExpression: 'passwordHash = :read AND passwordVersion = :version',
      UpdateExpression: 'SET passwordHash = :hash',
      ExpressionAttributeValues: { ':read': read.passwordHash, ':version': read.passwordVersion, ':hash': hash },
    });
    await conditional(client.send(update), () => undefined);
  };

/** An account: the login under a canonical username, and the user it leads to. */
export interface Account {
  readonly name: string;
  readonly login: Login;
  readonly user: User;
}

/** Stores a new account as a whole. @returns false where the name is taken; nothing was done then */
export type PutAccount = (account: Account) => Promise<boolean>;

export const accountPutter = (client: StoreClient, table: string): PutAccount => {
  const put = accountsPutter(client, table);
  return (account) => put([account]);
};

/**
 * Stores several new accounts, no two of one name or id, all or none of them: 50 at most, since a transaction takes
 * 100 items.
 *
 * @returns false where one of the names is taken; nothing was done then
 */
export const accountsPutter =
  (client: StoreClient, table: string) =>
  async (accounts: readonly Account[]): Promise<boolean> => {
    const items = accounts.flatMap(({ name, login, user }) => [loginItem(name, login), userItem(user)]);
    const puts = items.map((Item) => ({
      Put: { TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' },
    }));
    return (await transacted(client, puts)) === undefined;
  };

/** A `LOGIN#` item as it is stored. */
export const loginItem = (name: string, login: Login) => ({ ...loginKey(name), ...login, schema: SCHEMA_VERSION });

/** Reads a `LOGIN#` item. @throws {Unfit} */
export function loginFrom(stored: Members): Login {
  const item = checkVersion(stored);
  return {
    userId: storedUserId(item, 'userId'),
    passwordHash: textIn(item, 'passwordHash'),
    passwordVersion: wholeNumberIn(item, 'passwordVersion'),
  };
}
