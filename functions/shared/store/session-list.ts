import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { SessionId, UserId } from '../domain/ids.ts';
import type { Session } from '../domain/session.ts';
import { reached, type StoreClient } from './client.ts';
import { storedSessionId } from './items.ts';
import { sessionFrom } from './sessions.ts';

/** Sessions in the order of their logins, newest first, dead ones that nobody has collected yet among them. */
export interface SessionPage {
  readonly sessions: readonly Session[];
  /** Where the next page begins; absent where this is the last one. */
  readonly next?: SessionId;
}

/** Reads at most `limit` sessions of a user, those older than `before` where that is named. */
export type ListSessions = (userId: UserId, limit: number, before?: SessionId) => Promise<SessionPage>;

/** Consistent, so that a session that was just ended is not shown as alive. */
export const sessionLister =
  (client: StoreClient, table: string): ListSessions =>
  async (userId, limit, before) => {
    const query = new QueryCommand({
      TableName: table,
      KeyConditionExpression: 'userId = :userId',
      ExpressionAttributeValues: { ':userId': userId },
      ConsistentRead: true,
      // Session ids begin with the time of the login.
      ScanIndexForward: false,
      Limit: limit,
      ...(before !== undefined && { ExclusiveStartKey: { userId, sessionId: before } }),
    });
    const { Items, LastEvaluatedKey } = await reached(client.send(query));
    return {
      sessions: (Items ?? []).map(sessionFrom),
      ...(LastEvaluatedKey !== undefined && { next: storedSessionId(LastEvaluatedKey, 'sessionId') }),
    };
  };
