import { setTimeout } from 'node:timers/promises';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { Outage } from '../domain/refusal.ts';
import { reached, type StoreClient } from './client.ts';

const FIRST_PAUSE_MS = 20;

export type TransactItems = NonNullable<TransactWriteCommandInput['TransactItems']>;

/** The places, in a transaction's list of items, of the conditions that were false; at least one. */
export type Obstacles = readonly number[];

/**
 * Does several writes as a whole, or none of them.
 *
 * DynamoDB cancels a transaction whose condition fails, and also one that meets another on the same item, which says
 * nothing about the conditions: that is tried again.
 *
 * @param attempts how often it is tried before it is an {@link Outage}
 * @returns undefined where it was done, else what stood in its way
 */
export async function transacted(
  client: StoreClient,
  TransactItems: TransactItems,
  attempts = 6,
): Promise<Obstacles | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await reached(client.send(new TransactWriteCommand({ TransactItems })));
      return undefined;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code);
      const obstacles = codes.flatMap((code, at) => (code === 'ConditionalCheckFailed' ? [at] : []));
      if (obstacles.length > 0) return obstacles;
      if (attempt === attempts) throw new Outage('the store is busy with the same items', error);
      await setTimeout(FIRST_PAUSE_MS * 2 ** attempt * Math.random());
    }
  }
}
