import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { UserId } from '../domain/ids.ts';
import type { Session } from '../domain/session.ts';
import type { User } from '../domain/user.ts';
import { conditional, reached, type StoreClient } from './client.ts';
import { sessionKey, userKey } from './schema.ts';

/** Ends every session of a user at once. Does nothing where the user is gone. */
export type RaiseEpoch = (userId: UserId) => Promise<void>;

export const epochRaiser =
  (client: StoreClient, table: string): RaiseEpoch =>
  async (userId) => {
    const update = new UpdateCommand({
      TableName: table,
      Key: userKey(userId),
      ConditionExpression: 'attribute_exists(pk)',
      UpdateExpression: 'ADD epoch :one',
      ExpressionAttributeValues: { ':one': 1 },
    });
    await conditional(client.send(update), () => undefined);
  };

/** Ends every session of a user but one. @returns false where user or session changed since they were read */
export type EndOthers = (user: User, session: Session) => Promise<boolean>;

export const othersEnder =
  (client: StoreClient, tables: { readonly users: string; readonly sessions: string }): EndOthers =>
  (user, session) => {
    const values = { ':read': user.epoch, ':raised': user.epoch + 1 };
    return happened(
      client.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Update: {
                TableName: tables.users,
                Key: userKey(user.id),
                ConditionExpression: 'epoch = :read',
                UpdateExpression: 'SET epoch = :raised',
                ExpressionAttributeValues: values,
              },
            },
            {
              Update: {
                TableName: tables.sessions,
                Key: sessionKey(session.userId, session.sessionId),
                ConditionExpression: 'epoch = :read AND attribute_not_exists(revokedAt)',
                UpdateExpression: 'SET epoch = :raised',
                ExpressionAttributeValues: values,
              },
            },
          ],
        }),
      ),
    );
  };

/**
 * Whether a transaction went through. It did not where a condition of it failed or another write was under way on one of
 * its items; then nothing of it was done.
 */
export async function happened(call: Promise<unknown>): Promise<boolean> {
  try {
    await reached(call);
    return true;
  } catch (error) {
    if (error instanceof TransactionCanceledException) return false;
    throw error;
  }
}
