import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { isCounter, type Counter, type SessionId, type UserId } from '../domain/ids.ts';
import { RECENT_SECONDS, rotation, type Change, type Presented } from '../domain/renewal.ts';
import type { ClientPrint, Session } from '../domain/session.ts';
import { after, type Seconds, type UnixSeconds } from '../domain/time.ts';
import { membersOf, optional, textIn, timeIn, Unfit, wholeNumberIn, type Members } from '../domain/unknown.ts';
import { conditional, reached, type Conditional, type StoreClient } from './client.ts';
import { checkVersion, storedSessionId, storedUserId } from './items.ts';
import { SCHEMA_VERSION, sessionKey, TTL_ATTRIBUTE } from './schema.ts';

/** A session that nothing has ended, as conditions on its item. Without the first, ending a session that the garbage collector took would make it again. */
const EXISTS = 'attribute_exists(userId)';
const ALIVE = `${EXISTS} AND attribute_not_exists(revokedAt) AND expiresAt > :now AND maxExpiresAt > :now`;

/** The write of a new session. Its TTL is its absolute end; only the garbage collector reads that. */
export const newSessionIn = (table: string, session: Session) => ({
  TableName: table,
  Item: { ...session, [TTL_ATTRIBUTE]: session.maxExpiresAt, schema: SCHEMA_VERSION },
  ConditionExpression: 'attribute_not_exists(userId)',
});

export type PutSession = (session: Session) => Promise<void>;

/** Stores a new session. */
export const sessionPutter =
  (client: StoreClient, table: string): PutSession =>
  async (session) => {
    try {
      await reached(client.send(new PutCommand(newSessionIn(table, session))));
    } catch (error) {
      // The client retried a write whose answer was lost: the session that stands there is the one we put.
      if (!(error instanceof Error && error.name === 'ConditionalCheckFailedException')) throw error;
    }
  };

export type FindSession = (userId: UserId, sessionId: SessionId) => Promise<Session | undefined>;

/** Consistent, because a session that was ended must count as ended at once. */
export const sessionFinder =
  (client: StoreClient, table: string): FindSession =>
  async (userId, sessionId) => {
    const get = new GetCommand({ TableName: table, Key: sessionKey(userId, sessionId), ConsistentRead: true });
    const { Item } = await reached(client.send(get));
    return Item && sessionFrom(Item);
  };

interface SessionName {
  readonly userId: UserId;
  readonly sessionId: SessionId;
}

/** Rotates without having read: done where the presented counter is the newest and the last change is not recent. */
export type RotateUnread = (name: SessionName, presented: Presented) => Promise<Conditional<Session>>;

export const unreadRotator =
  (client: StoreClient, table: string): RotateUnread =>
  (name, presented) =>
    conditional(
      client.send(
        changeOf(table, name, rotation(presented.counter, presented), {
          condition: '#current = :seen AND (attribute_not_exists(changedAt) OR changedAt <= :notRecent)',
          values: { ':seen': presented.counter, ':notRecent': after(presented.now, -RECENT_SECONDS) },
        }),
      ),
      sessionFrom,
    );

/** Makes a change that was decided on an item that was read; done only where that item still stands. */
export type ChangeSession = (read: Session, change: Change) => Promise<Conditional<Session>>;

export const sessionChanger =
  (client: StoreClient, table: string): ChangeSession =>
  (read, change) =>
    conditional(
      client.send(
        changeOf(table, read, change, {
          condition:
            read.parent === undefined
              ? '#current = :seen AND attribute_not_exists(parent)'
              : '#current = :seen AND parent = :seenParent',
          values: { ':seen': read.current, ...(read.parent !== undefined && { ':seenParent': read.parent }) },
        }),
      ),
      sessionFrom,
    );

function changeOf(
  table: string,
  name: SessionName,
  change: Change,
  decidedOn: { condition: string; values: Record<string, number> },
): UpdateCommand {
  return new UpdateCommand({
    TableName: table,
    Key: sessionKey(name.userId, name.sessionId),
    ConditionExpression: `${ALIVE} AND ${decidedOn.condition}`,
    UpdateExpression:
      'SET #current = :current, #base = :base, parent = :parent, rotatedAt = :rotatedAt, changedAt = :now, ' +
      '#client = :client, expiresAt = :expiresAt',
    ExpressionAttributeNames: { '#current': 'current', '#base': 'base', '#client': 'client' },
    ExpressionAttributeValues: {
      ':current': change.current,
      ':base': change.base,
      ':parent': change.parent,
      ':rotatedAt': change.rotatedAt,
      ':now': change.changedAt,
      ':client': change.client,
      ':expiresAt': change.expiresAt,
      ...decidedOn.values,
    },
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
}

/** Ends a session for ever. @returns false for one that has ended or is not there, which stays as it is */
export type RevokeSession = (name: SessionName, now: UnixSeconds) => Promise<boolean>;

/** @param kept how long its record stays after that, with the address and user agent in it; a day or two more, as garbage is collected */
export const sessionRevoker =
  (client: StoreClient, table: string, kept: Seconds): RevokeSession =>
  async ({ userId, sessionId }, now) => {
    const update = new UpdateCommand({
      TableName: table,
      Key: sessionKey(userId, sessionId),
      ConditionExpression: `${EXISTS} AND attribute_not_exists(revokedAt)`,
      UpdateExpression: 'SET revokedAt = :now, #ttl = :ttl',
      ExpressionAttributeNames: { '#ttl': TTL_ATTRIBUTE },
      ExpressionAttributeValues: { ':now': now, ':ttl': after(now, kept) },
    });
    return (await conditional(client.send(update), () => undefined)).done;
  };

/** Removes a session, which ends it as well: a token of a session that is not there is refused. */
export type RemoveSession = (name: SessionName) => Promise<void>;

export const sessionRemover =
  (client: StoreClient, table: string): RemoveSession =>
  async ({ userId, sessionId }) => {
    await reached(client.send(new DeleteCommand({ TableName: table, Key: sessionKey(userId, sessionId) })));
  };

/** Reads a session's item. @throws {Unfit} */
export function sessionFrom(stored: Members): Session {
  const item = checkVersion(stored);
  const parent = optional(item, 'parent', counterIn);
  const rotatedAt = optional(item, 'rotatedAt', timeIn);
  const changedAt = optional(item, 'changedAt', timeIn);
  const revokedAt = optional(item, 'revokedAt', timeIn);
  const device = membersOf(item['device']);
  return {
    userId: storedUserId(item, 'userId'),
    sessionId: storedSessionId(item, 'sessionId'),
    current: counterIn(item, 'current'),
    base: wholeNumberIn(item, 'base'),
    ...(parent !== undefined && { parent }),
    ...(rotatedAt !== undefined && { rotatedAt }),
    ...(changedAt !== undefined && { changedAt }),
    client: textIn(item, 'client') as ClientPrint,
    epoch: wholeNumberIn(item, 'epoch'),
    createdAt: timeIn(item, 'createdAt'),
    expiresAt: timeIn(item, 'expiresAt'),
    maxExpiresAt: timeIn(item, 'maxExpiresAt'),
    ...(revokedAt !== undefined && { revokedAt }),
    device: { address: possiblyEmpty(device, 'address'), userAgent: possiblyEmpty(device, 'userAgent') },
  };
}

function counterIn(item: Members, name: string): Counter {
  const value = wholeNumberIn(item, name);
  if (!isCounter(value)) throw new Unfit(`${name} is no counter`);
  return value;
}

/** A caller may send no user agent. */
const possiblyEmpty = (from: Members, name: string): string => (from[name] === '' ? '' : textIn(from, name));
