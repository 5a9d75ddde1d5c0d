import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  TransactionCanceledException,
  type AttributeValue,
  type DynamoDBClientConfig,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { Outage } from '../domain/refusal.ts';

/** A client of the tables that gives up soon enough for a caller to get a 503 within three seconds. */
export type StoreClient = DynamoDBDocumentClient;

const ATTEMPTS = 3;

/** @param connection where the engine listens, where it is another than AWS's, and how long it may take */
export const storeClient = (connection: Pick<DynamoDBClientConfig, 'endpoint' | 'requestHandler'>): StoreClient =>
  DynamoDBDocumentClient.from(new DynamoDBClient({ ...connection, maxAttempts: ATTEMPTS }), {
    marshallOptions: { removeUndefinedValues: true },
  });

/** Errors that mean we asked wrongly. Asking again would not help, and saying "out of reach" would hide a defect. */
const DEFECTS = new Set(['ValidationException', 'SerializationException']);

/**
 * The answer to a call of the store.
 *
 * @throws {Outage} where the store is out of reach, throttles or fails, after the client's own retries
 */
export async function reached<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException || error instanceof TransactionCanceledException) throw error;
    if (error instanceof Error && DEFECTS.has(error.name)) throw error;
    throw new Outage('store out of reach', error);
  }
}

/** What a conditional write came to: the item it left, or the one that stood in its way (absent: there is none). */
export type Conditional<Item> =
  { readonly done: true; readonly item: Item } | { readonly done: false; readonly found: Item | undefined };

/**
 * The outcome of a conditional write that asks for `ReturnValuesOnConditionCheckFailure: ALL_OLD`.
 *
 * @param read makes a value of ours of an item
 */
export async function conditional<Item>(
  call: Promise<{ Attributes?: Record<string, unknown> | undefined }>,
  read: (item: Record<string, unknown>) => Item,
): Promise<Conditional<Item>> {
  try {
    const { Attributes } = await reached(call);
    return { done: true, item: read(Attributes ?? {}) };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const found: Record<string, AttributeValue> | undefined = error.Item;
    // The document client leaves the item of an error as it came.
    return { done: false, found: found && read(unmarshall(found)) };
  }
}
