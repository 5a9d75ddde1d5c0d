import { createHash } from 'node:crypto';
import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ATTEMPTS_KEPT_SECONDS, FREE_ATTEMPTS, LONGEST_WAIT_SECONDS, WAITS } from '../domain/attempts.ts';
import { after, type UnixSeconds } from '../domain/time.ts';
import { conditional, reached, type StoreClient } from './client.ts';
import { attemptsKey, SCHEMA_VERSION, TTL_ATTRIBUTE } from './schema.ts';

/** Counts one attempt on a name. @returns false where it comes too early; it is not counted then and must not be tried */
export type CountAttempt = (name: string, now: UnixSeconds) => Promise<boolean>;

/** Forgets the attempts on a name, after one succeeded. */
export type ClearAttempts = (name: string) => Promise<void>;

/** The name is hashed because it can be anything, even a password typed into the wrong field. */
const keyOf = (name: string) => attemptsKey(createHash('sha256').update(name, 'utf8').digest('base64url'));

/** {@link waitAfter} as a condition, so that asking and counting are one step and no guess slips between them. */
const MAY_TRY = [
  'attribute_not_exists(failures)',
  'failures < :free',
  'countedAt <= :longestAgo',
  ...WAITS.map((_, index) => `(failures = :failures${index} AND countedAt <= :ago${index})`),
].join(' OR ');

export const attemptCounter =
  (client: StoreClient, table: string): CountAttempt =>
  async (name, now) => {
    const waits = WAITS.flatMap(({ failures, wait }, index): [string, number][] => [
      [`:failures${index}`, failures],
      [`:ago${index}`, after(now, -wait)],
    ]);
    const update = new UpdateCommand({
      TableName: table,
      Key: keyOf(name),
      ConditionExpression: MAY_TRY,
      UpdateExpression: 'SET countedAt = :now, #ttl = :ttl, #schema = :schema ADD failures :one',
      ExpressionAttributeNames: { '#ttl': TTL_ATTRIBUTE, '#schema': 'schema' },
      ExpressionAttributeValues: {
        ':one': 1,
        ':free': FREE_ATTEMPTS,
        ':now': now,
        ':ttl': after(now, ATTEMPTS_KEPT_SECONDS),
        ':schema': SCHEMA_VERSION,
        ':longestAgo': after(now, -LONGEST_WAIT_SECONDS),
        ...Object.fromEntries(waits),
      },
    });
    return (await conditional(client.send(update), () => undefined)).done;
  };

export const attemptsClearer =
  (client: StoreClient, table: string): ClearAttempts =>
  async (name) => {
    await reached(client.send(new DeleteCommand({ TableName: table, Key: keyOf(name) })));
  };
