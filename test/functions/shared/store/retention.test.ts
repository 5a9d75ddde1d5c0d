import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { after } from '../../../../functions/shared/domain/time.ts';
import { newSessionId } from '../../../../functions/shared/runtime/ids.ts';
import { sessionKey, TTL_ATTRIBUTE } from '../../../../functions/shared/store/schema.ts';
import { sessionPutter, sessionRevoker } from '../../../../functions/shared/store/sessions.ts';
import { aSession } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';
import { startTables, type Tables } from '../../../support/tables.ts';

let tables: Tables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

test('a session’s record goes with its absolute end, and so long after it was ended as the setting says', async () => {
  const { client, names } = tables;
  const session = aSession({ sessionId: newSessionId() });
  const collectedAt = async () => {
    const Key = sessionKey(session.userId, session.sessionId);
    const { Item } = await client.send(new GetCommand({ TableName: names.sessions, Key, ConsistentRead: true }));
    return Item?.[TTL_ATTRIBUTE] as unknown;
  };
  await sessionPutter(client, names.sessions)(session);
  expect(await collectedAt()).toBe(session.maxExpiresAt);
  const now = after(START, 60);
  expect(await sessionRevoker(client, names.sessions, 3_600)(session, now)).toBe(true);
  expect(await collectedAt()).toBe(after(now, 3_600));
  // Ending it again does not prolong it.
  expect(await sessionRevoker(client, names.sessions, 3_600)(session, after(now, 600))).toBe(false);
  expect(await collectedAt()).toBe(after(now, 3_600));
});
