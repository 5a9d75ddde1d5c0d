import { createHash } from 'node:crypto';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Code, CodeKind } from '../domain/code.ts';
import { textIn, timeIn, Unfit, wholeNumberIn, type Members } from '../domain/unknown.ts';
import { reached, type StoreClient } from './client.ts';
import { checkVersion, storedUserId } from './items.ts';
import { codeKey, SCHEMA_VERSION, TTL_ATTRIBUTE } from './schema.ts';

/** Hashed, so that whoever reads the table can use no code. It has 256 random bits: no salt, and nothing slow, is needed. */
const keyOf = (code: string) => codeKey(createHash('sha256').update(code, 'utf8').digest('base64url'));

/** Stores what a code is good for. */
export type PutCode = (code: string, what: Code) => Promise<void>;

export const codePutter =
  (client: StoreClient, table: string): PutCode =>
  async (code, what) => {
    const Item = { ...keyOf(code), ...what, [TTL_ATTRIBUTE]: what.expiresAt, schema: SCHEMA_VERSION };
    await reached(client.send(new PutCommand({ TableName: table, Item })));
  };

/** Finds what a code is good for, be it too late or not. */
export type FindCode = (code: string) => Promise<Code | undefined>;

export const codeFinder =
  (client: StoreClient, table: string): FindCode =>
  async (code) => {
    const { Item } = await reached(
      client.send(new GetCommand({ TableName: table, Key: keyOf(code), ConsistentRead: true })),
    );
    return Item && codeFrom(Item);
  };

/** Takes a code away as part of a transaction, in which of many at once only one finds it. */
export const usingUp = (table: string, code: string) => ({
  Delete: { TableName: table, Key: keyOf(code), ConditionExpression: 'attribute_exists(pk)' },
});

/** Reads a `CODE#` item. @throws {Unfit} */
function codeFrom(stored: Members): Code {
  const item = checkVersion(stored);
  return {
    kind: kindIn(item),
    userId: storedUserId(item, 'userId'),
    address: textIn(item, 'address'),
    passwordVersion: wholeNumberIn(item, 'passwordVersion'),
    expiresAt: timeIn(item, 'expiresAt'),
  };
}

function kindIn(item: Members): CodeKind {
  const kind = textIn(item, 'kind');
  if (kind !== 'verify' && kind !== 'reset') throw new Unfit('kind is not known');
  return kind;
}
