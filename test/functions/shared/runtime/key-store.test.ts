import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import {
  keptParameter,
  keptSecret,
  parameterStore,
  secretsManager,
} from '../../../../functions/shared/runtime/key-store.ts';
import { startSecretsStandIn, type SecretsStandIn } from '../../../../infra/local/secrets-stand-in.ts';

const ID = 'a-version-that-is-to-become-current';
let aws: SecretsStandIn;
let config: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
const secret = (arn = 'arn:ring') => keptSecret(new SecretsManagerClient({ ...config, maxAttempts: 1 }), arn);

beforeEach(async () => {
  aws = await startSecretsStandIn();
  aws.store.declareSecret('arn:ring', 'ring', 'first');
  config = { endpoint: aws.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } };
});
afterEach(() => aws.close());

describe('a secret', () => {
  test('is replaced where it is still what was read, and by one of those who read the same', async () => {
    const found = await secret().current();
    expect(found?.text).toBe('first');
    const outcomes = await Promise.all(['a', 'b', 'c'].map((text) => secret().replace(text, found)));
    expect(outcomes.toSorted()).toEqual([false, false, true]);
    expect((await secret().current())?.text).toBe('abc'[outcomes.indexOf(true)]);
    expect(await secret().replace('late', found)).toBe(false);
  });

  test('that is not there has no version', async () => {
    expect(await secret('arn:none').current()).toBeUndefined();
    await expect(secret('arn:none').replace('text', undefined)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('has a pending version until that is current', async () => {
    const found = (await secret().current())!;
    expect(await secret().stateOf(ID)).toBe('gone');
    aws.store.putVersion(aws.store.secret('arn:ring')!, { id: ID, labels: ['AWSPENDING'] });
    expect([await secret().stateOf(ID), await secret().textOf(ID)]).toEqual(['pending', undefined]);
    await secret().putPending(ID, 'second');
    await secret().putPending(ID, 'another');
    expect(await secret().textOf(ID)).toBe('second');
    expect(await secret().promote(ID, 'some-other-version-that-was-current')).toBe(false);
    expect(await secret().promote(ID, found.id)).toBe(true);
    expect([await secret().stateOf(ID), await secret().stateOf(found.id)]).toEqual(['current', 'gone']);
    // A request whose answer got lost is sent twice.
    expect(await secret().promote(ID, found.id)).toBe(true);
  });

  test('has none any more that was given up, however often', async () => {
    aws.store.putVersion(aws.store.secret('arn:ring')!, { id: ID, text: 'second', labels: ['AWSPENDING'] });
    await secret().giveUp(ID);
    await secret().giveUp(ID);
    expect(await secret().stateOf(ID)).toBe('gone');
    expect((await secret().current())?.text).toBe('first');
  });

  test('out of reach is an error, never an empty one', async () => {
    config = { ...config, endpoint: 'http://127.0.0.1:1' };
    const found = { id: ID, text: '' };
    const calls = [
      () => secret().current(),
      () => secret().textOf(ID),
      () => secret().stateOf(ID),
      () => secret().putPending(ID, ''),
      () => secret().promote(ID, ID),
      () => secret().giveUp(ID),
      () => secret().replace('', found),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow();
  });
});

test('a promotion that is refused for another reason is an error', async () => {
  const found = (await secret().current())!;
  await expect(secret().promote('a-version-that-nobody-ever-has-written', found.id)).rejects.toThrow();
});

test('a parameter is read and written, and undefined where there is none', async () => {
  const parameter = keptParameter(new SSMClient(config), '/keys');
  expect(await parameter.read()).toBeUndefined();
  await parameter.write('set');
  expect(await parameter.read()).toBe('set');
  await expect(
    keptParameter(new SSMClient({ ...config, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 }), '/keys').read(),
  ).rejects.toThrow();
});

test('clients are for AWS itself, or for where they are told', async () => {
  process.env['AWS_REGION'] = 'us-east-1';
  for (const make of [secretsManager, parameterStore]) {
    expect(make().config.endpoint).toBeUndefined();
    expect(await make('http://127.0.0.1:9').config.endpoint?.()).toMatchObject({ hostname: '127.0.0.1', port: 9 });
  }
});
