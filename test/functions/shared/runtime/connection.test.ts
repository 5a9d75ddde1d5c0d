import { beforeEach, expect, jest, test } from '@jest/globals';

beforeEach(() => {
  jest.resetModules();
});

async function connectionWith(environment: Readonly<Record<string, string>>) {
  Object.assign(process.env, { PATIENCE: '', DYNAMODB_ENDPOINT: '', ...environment });
  const { connection } = await import('../../../../functions/shared/runtime/connection.ts');
  return connection('DYNAMODB_ENDPOINT');
}

test('on AWS a service has so long that three tries end within three seconds, and the SDK finds it', async () => {
  expect(await connectionWith({})).toEqual({
    requestHandler: { connectionTimeout: 400, requestTimeout: 750, throwOnRequestTimeout: true },
  });
});

test('a local run says where it listens and gives it longer', async () => {
  expect(await connectionWith({ PATIENCE: '4', DYNAMODB_ENDPOINT: 'http://127.0.0.1:8000' })).toEqual({
    endpoint: 'http://127.0.0.1:8000',
    requestHandler: { connectionTimeout: 1_600, requestTimeout: 3_000, throwOnRequestTimeout: true },
  });
});

test.each(['0', '0.9', '-1', 'long', 'NaN'])('a patience of %j is refused by its name', async (PATIENCE) => {
  await expect(connectionWith({ PATIENCE })).rejects.toThrow('PATIENCE is a number from 1 on.');
});
