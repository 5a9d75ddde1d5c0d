import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { canonicalEmail } from '../domain/email.ts';
import type { UserId } from '../domain/ids.ts';
import type { User } from '../domain/user.ts';
import { reached, type StoreClient } from './client.ts';
import { usingUp } from './codes.ts';
import { checkVersion, storedUserId } from './items.ts';
import { emailKey, SCHEMA_VERSION, userKey } from './schema.ts';
import { transacted } from './transactions.ts';

/** Finds whose verified address this is. @param canonical {@link canonicalEmail} of it */
export type FindByEmail = (canonical: string) => Promise<UserId | undefined>;

export const emailFinder =
  (client: StoreClient, table: string): FindByEmail =>
  async (canonical) => {
    const get = new GetCommand({ TableName: table, Key: emailKey(canonical), ConsistentRead: true });
    const { Item } = await reached(client.send(get));
    return Item && storedUserId(checkVersion(Item), 'userId');
  };

/** Takes a verified address from its user as part of a transaction; one that is somebody else's by now stays. */
export const withoutEmail = (table: string, userId: UserId, address: string) => ({
  Delete: {
    TableName: table,
    Key: emailKey(canonicalEmail(address)),
    ConditionExpression: 'attribute_not_exists(pk) OR userId = :id',
    ExpressionAttributeValues: { ':id': userId },
  },
});

/** The address that is a user's and verified, if there is one. */
export const verifiedEmailOf = ({ email, emailVerified }: User): string | undefined =>
  emailVerified === true ? email : undefined;

/** What came of making a pending address the verified one. `used`: the code is gone. `changed`: the user is not as read. */
export type Verified = 'done' | 'used' | 'taken' | 'changed';

/**
 * Uses a code up and makes the pending address the user's own, in the place of the one before.
 *
 * @param read a user with a pending address
 */
export type VerifyEmail = (code: string, read: User & { readonly pendingEmail: string }) => Promise<Verified>;

export const emailVerifier =
  (client: StoreClient, table: string): VerifyEmail =>
  async (code, read) => {
    const { id, email, pendingEmail } = read;
    const canonical = canonicalEmail(pendingEmail);
    const before = verifiedEmailOf(read);
    const obstacles = await transacted(client, [
      usingUp(table, code),
      {
        Put: {
          TableName: table,
          Item: { ...emailKey(canonical), userId: id, schema: SCHEMA_VERSION },
          ConditionExpression: 'attribute_not_exists(pk) OR userId = :id',
          ExpressionAttributeValues: { ':id': id },
        },
      },
      {
        Update: {
          TableName: table,
          Key: userKey(id),
          ConditionExpression: `#status = :active AND passwordVersion = :version AND pendingEmail = :address AND ${emailAsRead(email)}`,
          UpdateExpression: 'SET email = :address, emailVerified = :true REMOVE pendingEmail',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ':active': 'active',
            ':version': read.passwordVersion,
            ':address': pendingEmail,
            ':true': true,
            ...(email !== undefined && { ':email': email }),
          },
        },
      },
      // A transaction takes one write for each item: in another case of letters it is the same one.
      ...(before !== undefined && canonicalEmail(before) !== canonical ? [withoutEmail(table, id, before)] : []),
    ]);
    if (obstacles === undefined) return 'done';
    if (obstacles.includes(0)) return 'used';
    return obstacles.includes(1) ? 'taken' : 'changed';
  };

const emailAsRead = (email: string | undefined): string =>
  email === undefined ? 'attribute_not_exists(email)' : 'email = :email';

/**
 * Takes a user's verified address away, and one that is pending.
 *
 * @returns false where the user changed since they were read; nothing was done then
 */
export type RemoveEmail = (read: User & { readonly email: string }) => Promise<boolean>;

export const emailRemover =
  (client: StoreClient, table: string): RemoveEmail =>
  async ({ id, email, epoch }) => {
    const obstacles = await transacted(client, [
      {
        Update: {
          TableName: table,
          Key: userKey(id),
          ConditionExpression: 'epoch = :epoch AND #status = :active AND email = :email',
          UpdateExpression: 'REMOVE email, emailVerified, pendingEmail',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':epoch': epoch, ':active': 'active', ':email': email },
        },
      },
      withoutEmail(table, id, email),
    ]);
    return obstacles === undefined;
  };
