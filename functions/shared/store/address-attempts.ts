import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { createHash } from 'node:crypto';
import { addressBlock } from '../domain/address.ts';
import { after, unixSeconds, type Seconds, type UnixSeconds } from '../domain/time.ts';
import { conditional, reached, type StoreClient } from './client.ts';
import { attemptsKey, SCHEMA_VERSION, TTL_ATTRIBUTE } from './schema.ts';

/** How often one address may try something in a window of time. */
export interface AddressLimit {
  /** Tells counters of different things apart. */
  readonly what: string;
  readonly limit: number;
  readonly window: Seconds;
}

/** What became of an attempt from an address: counted, or too many in this window; then it is not counted. */
export type CountedFromAddress = { readonly mayTry: true } | { readonly mayTry: false; readonly wait: Seconds };

/** The attempts of one address, counted in fixed windows. */
export interface AddressAttempts {
  /** Counts one; asking and counting are one step. */
  count(address: string, now: UnixSeconds): Promise<CountedFromAddress>;
  /** Takes one back that was counted at `now`, because it turned out well. */
  giveBack(address: string, now: UnixSeconds): Promise<void>;
}

export function addressAttempts(client: StoreClient, table: string, limit: AddressLimit): AddressAttempts {
  const startOf = (now: UnixSeconds) => unixSeconds(Math.floor(now / limit.window) * limit.window);
  const keyOf = (address: string, now: UnixSeconds) =>
    attemptsKey(
      createHash('sha256')
        .update(`${limit.what} ${addressBlock(address)} ${startOf(now)}`, 'utf8')
        .digest('base64url'),
    );

  return {
    async count(address, now) {
      const end = after(startOf(now), limit.window);
      const update = new UpdateCommand({
        TableName: table,
        Key: keyOf(address, now),
        ConditionExpression: 'attribute_not_exists(failures) OR failures < :limit',
        UpdateExpression: 'SET #ttl = :ttl, #schema = :schema ADD failures :one',
        ExpressionAttributeNames: { '#ttl': TTL_ATTRIBUTE, '#schema': 'schema' },
        ExpressionAttributeValues: { ':one': 1, ':limit': limit.limit, ':ttl': end, ':schema': SCHEMA_VERSION },
      });
      const { done } = await conditional(client.send(update), () => undefined);
      return done ? { mayTry: true } : { mayTry: false, wait: Math.max(1, end - now) };
    },

    async giveBack(address, now) {
      const update = new UpdateCommand({
        TableName: table,
        Key: keyOf(address, now),
        UpdateExpression: 'ADD failures :less',
        ConditionExpression: 'failures > :none',
        ExpressionAttributeValues: { ':less': -1, ':none': 0 },
      });
      await conditional(reached(client.send(update)), () => undefined);
    },
  };
}
