import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Session } from '../domain/session.ts';
import type { Login, User } from '../domain/user.ts';
import type { StoreClient } from './client.ts';
import { happened } from './epochs.ts';
import { loginKey, userKey } from './schema.ts';
import { newSessionIn } from './sessions.ts';

/** An account as it was read, and what becomes of it. */
export interface PasswordChange {
  /** Canonical. */
  readonly name: string;
  readonly login: Login;
  readonly user: User;
  readonly hash: string;
  /** The one session that the user has afterwards; of the epoch that follows the one that was read. */
  readonly session: Session;
}

/**
 * Gives a user another password, ends every session and begins one, as a whole.
 *
 * @returns false where the account changed since it was read; nothing was done then
 */
export type ChangePassword = (change: PasswordChange) => Promise<boolean>;

export const passwordChanger =
  (client: StoreClient, tables: { readonly users: string; readonly sessions: string }): ChangePassword =>
  ({ name, login, user, hash, session }) => {
    const versions = { ':read': login.passwordVersion, ':version': login.passwordVersion + 1 };
    return happened(
      client.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Update: {
                TableName: tables.users,
                Key: loginKey(name),
                ConditionExpression: 'userId = :id AND passwordVersion = :read',
                UpdateExpression: 'SET passwordHash = :hash, passwordVersion = :version',
                ExpressionAttributeValues: { ...versions, ':id': user.id, ':hash': hash },
              },
            },
            {
              Update: {
                TableName: tables.users,
                Key: userKey(user.id),
                ConditionExpression: 'passwordVersion = :read AND epoch = :epoch AND #status = :active',
                UpdateExpression: 'SET passwordVersion = :version, epoch = :raised',
                ExpressionAttributeNames: { '#status': 'status' },
                ExpressionAttributeValues: {
                  ...versions,
                  ':epoch': user.epoch,
                  ':raised': session.epoch,
                  ':active': 'active',
                },
              },
            },
            { Put: newSessionIn(tables.sessions, session) },
          ],
        }),
      ),
    );
  };
