import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { UserId } from '../domain/ids.ts';
import { optional, textIn, textsIn, timeIn, Unfit, wholeNumberIn, type Members } from '../domain/unknown.ts';
import type { User } from '../domain/user.ts';
import { reached, type StoreClient } from './client.ts';
import { checkVersion, storedUserId } from './items.ts';
import { SCHEMA_VERSION, userKey } from './schema.ts';

/** Finds a user by id, as they are now. */
export type FindUser = (id: UserId) => Promise<User | undefined>;

/** Consistent, because a disabled user or a raised epoch must count at once. */
export const userFinder =
  (client: StoreClient, table: string): FindUser =>
  async (id) => {
    const { Item } = await reached(
      client.send(new GetCommand({ TableName: table, Key: userKey(id), ConsistentRead: true })),
    );
    return Item && userFrom(Item);
  };

/** A `USER#` item as it is stored. */
export const userItem = (user: User) => ({ ...userKey(user.id), ...user, schema: SCHEMA_VERSION });

/** Reads a `USER#` item. @throws {Unfit} */
export function userFrom(stored: Members): User {
  const item = checkVersion(stored);
  const status = textIn(item, 'status');
  if (status !== 'active' && status !== 'disabled') throw new Unfit('status is not known');
  const displayName = optional(item, 'displayName', textIn);
  const email = optional(item, 'email', textIn);
  return {
    id: storedUserId(item, 'id'),
    username: textIn(item, 'username'),
    ...(displayName !== undefined && { displayName }),
    ...(email !== undefined && { email }),
    status,
    roles: textsIn(item, 'roles'),
    epoch: wholeNumberIn(item, 'epoch'),
    passwordVersion: wholeNumberIn(item, 'passwordVersion'),
    createdAt: timeIn(item, 'createdAt'),
  };
}
