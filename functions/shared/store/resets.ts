import type { User } from '../domain/user.ts';
import type { StoreClient } from './client.ts';
import { usingUp } from './codes.ts';
import { loginKey, userKey } from './schema.ts';
import { transacted } from './transactions.ts';

/** What a code does to the account that it opens. */
export interface Reset {
  readonly code: string;
  /** Canonical username. */
  readonly name: string;
  readonly user: User & { readonly email: string };
  readonly hash: string;
}

/** What came of a reset. `used`: the code is gone. `changed`: the account is not as it was read. */
export type WasReset = 'done' | 'used' | 'changed';

/** Uses a code up, gives its user another password and ends every session, as a whole. */
export type ResetPassword = (reset: Reset) => Promise<WasReset>;

export const passwordResetter =
  (client: StoreClient, table: string): ResetPassword =>
  async ({ code, name, user, hash }) => {
    const versions = { ':read': user.passwordVersion, ':version': user.passwordVersion + 1 };
    const obstacles = await transacted(client, [
      usingUp(table, code),
      {
        Update: {
          TableName: table,
          Key: loginKey(name),
          ConditionExpression: 'userId = :id AND passwordVersion = :read',
          UpdateExpression: 'SET passwordHash = :hash, passwordVersion = :version',
          ExpressionAttributeValues: { ...versions, ':id': user.id, ':hash': hash },
        },
      },
      {
        Update: {
          TableName: table,
          Key: userKey(user.id),
          ConditionExpression:
            'passwordVersion = :read AND #status = :active AND email = :email AND emailVerified = :true',
          UpdateExpression: 'SET passwordVersion = :version ADD epoch :one',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ...versions,
            ':active': 'active',
            ':email': user.email,
            ':true': true,
            ':one': 1,
          },
        },
      },
    ]);
    if (obstacles === undefined) return 'done';
    return obstacles.includes(0) ? 'used' : 'changed';
  };
