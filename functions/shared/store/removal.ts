import { DeleteCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { UserId } from '../domain/ids.ts';
import type { User } from '../domain/user.ts';
import { reached, type StoreClient } from './client.ts';
import { verifiedEmailOf, withoutEmail } from './emails.ts';
import { storedSessionId } from './items.ts';
import { loginKey, sessionKey, userKey } from './schema.ts';
import { transacted, type TransactItems } from './transactions.ts';

/**
 * The writes that take an account away as a whole: its login, its user, and its verified address, if it has one.
 *
 * @param name canonical username
 */
export function removalOf(table: string, name: string, user: User): TransactItems {
  const email = verifiedEmailOf(user);
  return [
    {
      Delete: {
        TableName: table,
        Key: loginKey(name),
        ConditionExpression: 'userId = :id',
        ExpressionAttributeValues: { ':id': user.id },
      },
    },
    {
      Delete: {
        TableName: table,
        Key: userKey(user.id),
        // An address that was verified after the user was read would stay taken for ever.
        ConditionExpression: `attribute_exists(pk) AND ${email === undefined ? '(attribute_not_exists(emailVerified) OR emailVerified <> :true)' : 'email = :email'}`,
        ExpressionAttributeValues: email === undefined ? { ':true': true } : { ':email': email },
      },
    },
    ...(email === undefined ? [] : [withoutEmail(table, user.id, email)]),
  ];
}

/** Removes an account as a whole. @returns false where it changed since it was read; nothing was done then */
export type RemoveAccount = (name: string, user: User) => Promise<boolean>;

export const accountRemover =
  (client: StoreClient, table: string): RemoveAccount =>
  async (name, user) =>
    (await transacted(client, removalOf(table, name, user))) === undefined;

/** How many sessions are removed at a time. */
const AT_ONCE = 25;

/** Removes the records of all sessions of a user, with the addresses and user agents in them. */
export type RemoveSessions = (userId: UserId) => Promise<void>;

export const sessionsRemover =
  (client: StoreClient, table: string): RemoveSessions =>
  async (userId) => {
    let next: Record<string, unknown> | undefined;
    do {
      const query = new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'userId = :id',
        ProjectionExpression: 'sessionId',
        ExpressionAttributeValues: { ':id': userId },
        ConsistentRead: true,
        Limit: AT_ONCE,
        ExclusiveStartKey: next,
      });
      const { Items = [], LastEvaluatedKey } = await reached(client.send(query));
      await Promise.all(
        Items.map((item) => {
          const Key = sessionKey(userId, storedSessionId(item, 'sessionId'));
          return reached(client.send(new DeleteCommand({ TableName: table, Key })));
        }),
      );
      next = LastEvaluatedKey;
    } while (next !== undefined);
  };
