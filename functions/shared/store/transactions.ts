import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { reached, type StoreClient } from './client.ts';

export type TransactItems = NonNullable<TransactWriteCommandInput['TransactItems']>;

/**
 * Why a transaction did not go through: the places, in its list of items, of the conditions that were false. None where
 * another write was under way on one of its items. Nothing of it was done then.
 */
export type Obstacles = readonly number[];

/** Writes items as a whole. @returns undefined where that was done */
export async function transacted(client: StoreClient, TransactItems: TransactItems): Promise<Obstacles | undefined> {
  try {
    await reached(client.send(new TransactWriteCommand({ TransactItems })));
    return undefined;
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code);
    return codes.flatMap((code, at) => (code === 'ConditionalCheckFailed' ? [at] : []));
  }
}
