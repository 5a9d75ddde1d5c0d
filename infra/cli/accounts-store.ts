/** How operators read and write accounts. What only they need, such as a scan of the table, is here and in no function. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { UserId } from '../../functions/shared/domain/ids.ts';
import { Unfit } from '../../functions/shared/domain/unknown.ts';
import type { User } from '../../functions/shared/domain/user.ts';
import { conditional, reached, type StoreClient } from '../../functions/shared/store/client.ts';
import { loginFinder, type Account } from '../../functions/shared/store/logins.ts';
import { loginKey, PREFIX, USERS_KEY, userKey } from '../../functions/shared/store/schema.ts';
import { transacted } from '../../functions/shared/store/transactions.ts';
import { userFinder, userFrom } from '../../functions/shared/store/users.ts';
import type { StackAccess } from './stack-access.ts';

const CONNECT_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 10_000;

/** A client with more patience than that of the functions: an operator may be far away from the region. */
export function operatorsClient({ dynamoDbEndpoint }: StackAccess): StoreClient {
  const elsewhere = dynamoDbEndpoint !== undefined && {
    endpoint: dynamoDbEndpoint,
    region: 'us-east-1',
    // The local store takes any; a real account's stay out of it.
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const requestHandler = {
    connectionTimeout: CONNECT_WITHIN_MS,
    requestTimeout: ANSWER_WITHIN_MS,
    throwOnRequestTimeout: true,
  };
  return DynamoDBDocumentClient.from(new DynamoDBClient({ requestHandler, ...elsewhere }), {
    marshallOptions: { removeUndefinedValues: true },
  });
}

/** @param name canonical */
export async function findAccount(client: StoreClient, table: string, name: string): Promise<Account | undefined> {
  const login = await loginFinder(client, table)(name);
  const user = login && (await userFinder(client, table)(login.userId));
  return user && { name, login, user };
}

/** Gives an account another password hash and ends its sessions. @returns false where it changed since it was read */
export async function putPassword(
  client: StoreClient,
  table: string,
  account: Account,
  hash: string,
): Promise<boolean> {
  const { name, login, user } = account;
  const version = Math.max(login.passwordVersion, user.passwordVersion) + 1;
  const obstacles = await transacted(client, [
    {
      Update: {
        TableName: table,
        Key: loginKey(name),
        ConditionExpression: 'userId = :id AND passwordVersion = :read',
        UpdateExpression: 'SET passwordHash = :hash, passwordVersion = :version',
        ExpressionAttributeValues: {
          ':id': user.id,
          ':read': login.passwordVersion,
          ':hash': hash,
          ':version': version,
        },
      },
    },
    {
      Update: {
        TableName: table,
        Key: userKey(user.id),
        ConditionExpression: 'passwordVersion = :read',
        UpdateExpression: 'SET passwordVersion = :version ADD epoch :one',
        ExpressionAttributeValues: { ':read': user.passwordVersion, ':version': version, ':one': 1 },
      },
    },
  ]);
  return obstacles === undefined;
}

/** Gives a user other roles. @returns false where they are no longer those that were read */
export async function putRoles(client: StoreClient, table: string, read: User, roles: readonly string[]) {
  const update = new UpdateCommand({
    TableName: table,
    Key: userKey(read.id),
    ConditionExpression: '#roles = :read',
    UpdateExpression: 'SET #roles = :roles',
    ExpressionAttributeNames: { '#roles': 'roles' },
    ExpressionAttributeValues: { ':read': read.roles, ':roles': roles },
  });
  return (await conditional(client.send(update), () => undefined)).done;
}

/** Disables a user, which ends every session, or enables one, which brings none back. @returns false where it is gone */
export async function putStatus(client: StoreClient, table: string, id: UserId, status: User['status']) {
  const disabling = status === 'disabled';
  const update = new UpdateCommand({
    TableName: table,
    Key: userKey(id),
    ConditionExpression: 'attribute_exists(pk)',
    UpdateExpression: `SET #status = :status${disabling ? ' ADD epoch :one' : ''}`,
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':status': status, ...(disabling && { ':one': 1 }) },
  });
  return (await conditional(client.send(update), () => undefined)).done;
}

/** One `USER#` item of the table: the user, or the key of one that cannot be read. */
export type Listed = { readonly user: User } | { readonly unreadable: string };

/** Every user, in no order, one page of the table at a time. */
export async function* allUsers(client: StoreClient, table: string): AsyncGenerator<Listed> {
  let next: Record<string, unknown> | undefined;
  do {
    const scan = new ScanCommand({
      TableName: table,
      FilterExpression: 'begins_with(pk, :user)',
      ExpressionAttributeValues: { ':user': PREFIX.user },
      ConsistentRead: true,
      ExclusiveStartKey: next,
    });
    const { Items = [], LastEvaluatedKey } = await reached(client.send(scan));
    for (const item of Items) yield listed(item);
    next = LastEvaluatedKey;
  } while (next !== undefined);
}

function listed(item: Readonly<Record<string, unknown>>): Listed {
  try {
    return { user: userFrom(item) };
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    return { unreadable: `${String(item[USERS_KEY.partition])} (${error.message})` };
  }
}
