import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { UserId } from '../domain/ids.ts';
import { optional, textIn, textsIn, timeIn, Unfit, wholeNumberIn, type Members } from '../domain/unknown.ts';
import type { User } from '../domain/user.ts';
import { conditional, reached, type StoreClient } from './client.ts';
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

/** What users change of themselves; null takes a value away. */
export interface ProfileChange {
  readonly displayName?: string | null;
  /** Only an address that was never verified can be taken away here: a verified one has an item of its own. */
  readonly email?: null;
  readonly pendingEmail?: string | null;
}

/**
 * Changes a user's own data.
 *
 * @param read the user as a session vouched for them
 * @returns undefined where the user was disabled, logged out everywhere or removed since
 */
export type ChangeProfile = (read: User, change: ProfileChange) => Promise<User | undefined>;

export const profileChanger =
  (client: StoreClient, table: string): ChangeProfile =>
  async (read, change) => {
    const fields = Object.entries(change).map(([field, value]) => ({ field, value: value as string | null }));
    const set = fields.filter(({ value }) => value !== null);
    const removed = fields.filter(({ value }) => value === null);
    const update = new UpdateCommand({
      TableName: table,
      Key: userKey(read.id),
      ConditionExpression: 'epoch = :epoch AND #status = :active',
      UpdateExpression: [
        ...(set.length > 0 ? [`SET ${set.map(({ field }) => `${field} = :${field}`).join(', ')}`] : []),
        ...(removed.length > 0 ? [`REMOVE ${removed.map(({ field }) => field).join(', ')}`] : []),
      ].join(' '),
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ':epoch': read.epoch,
        ':active': 'active',
        ...Object.fromEntries(set.map(({ field, value }) => [`:${field}`, value])),
      },
      ReturnValues: 'ALL_NEW',
    });
    const outcome = await conditional(client.send(update), userFrom);
    return outcome.done ? outcome.item : undefined;
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
  const pendingEmail = optional(item, 'pendingEmail', textIn);
  return {
    id: storedUserId(item, 'id'),
    username: textIn(item, 'username'),
    ...(displayName !== undefined && { displayName }),
    ...(email !== undefined && { email }),
    ...(email !== undefined && item['emailVerified'] === true && { emailVerified: true }),
    ...(pendingEmail !== undefined && { pendingEmail }),
    status,
    roles: textsIn(item, 'roles'),
    epoch: wholeNumberIn(item, 'epoch'),
    passwordVersion: wholeNumberIn(item, 'passwordVersion'),
    createdAt: timeIn(item, 'createdAt'),
  };
}
