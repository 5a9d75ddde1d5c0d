import { setTimeout } from 'node:timers/promises';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { Outage } from '../domain/refusal.ts';
import { reached, type StoreClient } from './client.ts';

const FIRST_PAUSE_MS = 20;

/**
 * Does several writes as a whole, or none of them.
 *
 * DynamoDB cancels a transaction whose condition fails, and also one that meets another on the same item, which says
 * nothing about the conditions: that is tried again.
 *
 * @param attempts how often it is tried before it is an {@link Outage}
 * @returns false where a condition failed; nothing was done then
 */
export async function transacted(
  client: StoreClient,
  TransactItems: NonNullable<TransactWriteCommandInput['TransactItems']>,
  attempts = 6,
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await reached(client.send(new TransactWriteCommand({ TransactItems })));
      return true;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      if (error.CancellationReasons?.some(({ Code }) => Code === 'ConditionalCheckFailed')) return false;
      if (attempt === attempts) throw new Outage('the store is busy with the same items', error);
      await setTimeout(FIRST_PAUSE_MS * 2 ** attempt * Math.random());
    }
  }
}
