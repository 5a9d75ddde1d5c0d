import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { Outage } from '../../../../functions/shared/domain/refusal.ts';
import { storeClient } from '../../../../functions/shared/store/client.ts';
import { transacted } from '../../../../functions/shared/store/transactions.ts';
import { serve, type TestServer } from '../../../support/http-server.ts';

beforeAll(() => {
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' });
});
let server: TestServer;
afterEach(() => server.close());

const canceled = (...codes: string[]) => ({
  status: 400,
  body: JSON.stringify({
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    message: 'Transaction cancelled',
    CancellationReasons: codes.map((Code) => ({ Code })),
  }),
});
const done = { status: 200, body: '{}' };

/** What became of a transaction whose tries are answered so, the last answer again and again. */
async function outcome(answers: readonly (typeof done)[], attempts?: number) {
  server = await serve(() => answers[Math.min(server.received.length, answers.length) - 1]!);
  const put = { Put: { TableName: 'table', Item: { id: 'one' } } };
  return transacted(storeClient({ endpoint: server.url }), [put, put, put], attempts);
}

test('what is done is done once', async () => {
  expect(await outcome([done])).toBeUndefined();
  expect(server.received).toHaveLength(1);
});

test('conditions that were false are named by their places, and nothing is tried again', async () => {
  expect(await outcome([canceled('TransactionConflict', 'ConditionalCheckFailed', 'ConditionalCheckFailed')])).toEqual([
    1, 2,
  ]);
  expect(server.received).toHaveLength(1);
});

test('one that met another on the same item is tried again', async () => {
  expect(await outcome([canceled('TransactionConflict', 'None', 'None'), canceled('None'), done])).toBeUndefined();
  expect(server.received).toHaveLength(3);
});

test('one that meets others every time is an outage, after so many tries', async () => {
  await expect(outcome([canceled('TransactionConflict', 'None', 'None')], 3)).rejects.toThrow(Outage);
  expect(server.received).toHaveLength(3);
});
