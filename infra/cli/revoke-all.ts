/** Ends the sessions of every user at once: after a restore, or when tokens have leaked. */
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { after, unixSeconds, type UnixSeconds } from '../../functions/shared/domain/time.ts';
import { Unfit } from '../../functions/shared/domain/unknown.ts';
import { now } from '../../functions/shared/runtime/clock.ts';
import { readSettings } from '../../functions/shared/runtime/env.ts';
import { reached } from '../../functions/shared/store/client.ts';
import { storedSessionId, storedUserId } from '../../functions/shared/store/items.ts';
import { sessionRevoker } from '../../functions/shared/store/sessions.ts';
import { Complaint } from '../local/complaint.ts';
import { operatorsClient } from './accounts-store.ts';
import type { StackAccess } from './stack-access.ts';

/** With a time zone: a server's own would depend on where the command runs. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})$/;

/** Writes in flight, so that a table on demand that was idle is not overrun. */
const AT_ONCE = 25;

export interface Revoked {
  readonly ended: number;
  /** Items that are no session of ours. */
  readonly unreadable: number;
}

/**
 * Reads `--before`.
 *
 * @param text a time of ISO 8601, or `now` for every session there is
 * @throws {Complaint} for anything else, and for a time to come: a login in between would be ended or not by chance
 */
export function timeBefore(text: string | undefined): UnixSeconds {
  const present = now();
  if (text === 'now') return after(present, 1);
  const milliseconds = text !== undefined && TIME.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(milliseconds)) {
    throw new Complaint('--before needs a time with its zone, such as 2026-11-24T08:30:00Z, or "now".');
  }
  const before = unixSeconds(Math.floor(milliseconds / 1_000));
  if (before > present) throw new Complaint('--before must not be a time to come.');
  return before;
}

/**
 * Ends every session that began before a time, and no other. Cut off anywhere, it can be run again; one that has ended
 * stays as it was.
 */
export async function revokeAll(stack: StackAccess, before: UnixSeconds): Promise<Revoked> {
  const client = operatorsClient(stack);
  const revoke = sessionRevoker(client, stack.sessionsTable, readSettings('endedSessionsKept').endedSessionsKept);
  const counted = { ended: 0, unreadable: 0 };
  let next: Record<string, unknown> | undefined;
  try {
    do {
      const scan = new ScanCommand({
        TableName: stack.sessionsTable,
        FilterExpression: 'createdAt < :before AND attribute_not_exists(revokedAt)',
        ProjectionExpression: 'userId, sessionId',
        ExpressionAttributeValues: { ':before': before },
        ConsistentRead: true,
        ExclusiveStartKey: next,
      });
      const { Items = [], LastEvaluatedKey } = await reached(client.send(scan));
      const names = Items.flatMap((item) => nameIn(item) ?? []);
      counted.unreadable += Items.length - names.length;
      for (let from = 0; from < names.length; from += AT_ONCE) {
        const some = names.slice(from, from + AT_ONCE);
        await Promise.all(some.map((name) => revoke(name, now())));
        counted.ended += some.length;
      }
      next = LastEvaluatedKey;
    } while (next !== undefined);
  } finally {
    client.destroy();
  }
  return counted;
}

function nameIn(item: Readonly<Record<string, unknown>>) {
  try {
    return { userId: storedUserId(item, 'userId'), sessionId: storedSessionId(item, 'sessionId') };
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    return undefined;
  }
}
