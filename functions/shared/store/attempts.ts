import { createHash } from 'node:crypto';
import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import {
  ATTEMPTS_KEPT_SECONDS,
  FREE_ATTEMPTS,
  LONGEST_WAIT_SECONDS,
  waitLeft,
  WAITS,
  type Attempts,
} from '../domain/attempts.ts';
import { after, type Seconds, type UnixSeconds } from '../domain/time.ts';
import { timeIn, wholeNumberIn, type Members } from '../domain/unknown.ts';
import { conditional, reached, type StoreClient } from './client.ts';
import { checkVersion } from './items.ts';
import { attemptsKey, SCHEMA_VERSION, TTL_ATTRIBUTE } from './schema.ts';

/** What became of an attempt: counted, or too early; then it is not counted and must not be tried. */
export type Counted =
  /** `failures` with this one, which a success takes back. */
  { readonly mayTry: true; readonly failures: number } | { readonly mayTry: false; readonly wait: Seconds };

/** Counts one attempt on a name. */
export type CountAttempt = (name: string, now: UnixSeconds) => Promise<Counted>;

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
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const outcome = await conditional(client.send(update), attemptsFrom);
    if (outcome.done) return { mayTry: true, failures: outcome.item.failures };
    return { mayTry: false, wait: outcome.found === undefined ? 1 : waitLeft(outcome.found, now) };
  };

/** Reads an `ATTEMPTS#` item. @throws {Unfit} */
function attemptsFrom(stored: Members): Attempts {
  const item = checkVersion(stored);
  return { failures: wholeNumberIn(item, 'failures'), countedAt: timeIn(item, 'countedAt') };
}

export const attemptsClearer =
  (client: StoreClient, table: string): ClearAttempts =>
  async (name) => {
    await reached(client.send(new DeleteCommand({ TableName: table, Key: keyOf(name) })));
  };
