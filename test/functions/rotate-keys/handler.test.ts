import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { unixSeconds } from '../../../functions/shared/domain/time.ts';
import { sharedSecretsFrom, signingRingFrom } from '../../../functions/shared/token/key-ring.ts';
import { keySetFrom } from '../../../functions/shared/token/public-keys.ts';
import { startSecretsStandIn, type SecretsStandIn } from '../../../infra/local/secrets-stand-in.ts';
import { newKeyTexts, type KeyTexts } from '../../support/keys.ts';
import { logged } from '../../support/logged.ts';

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
const DAY = 86_400;

let aws: SecretsStandIn;
let keys: KeyTexts;
let handler: (event: SecretsManagerRotationEvent) => Promise<void>;

const start = async () => {
  jest.resetModules();
  ({ handler } = await import('../../../functions/rotate-keys/handler.ts'));
};

beforeEach(async () => {
  [aws, keys] = await Promise.all([startSecretsStandIn(), newKeyTexts()]);
  aws.store.declareSecret('arn:signing', 'signing', keys.signing);
  aws.store.declareSecret('arn:refresh', 'refresh', keys.refresh);
  aws.store.declareSecret('arn:peppers', 'peppers', keys.peppers);
  aws.store.declareParameter('/public-keys', keys.published);
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    SIGNING_KEYS_SECRET: 'arn:signing',
    REFRESH_SECRETS_SECRET: 'arn:refresh',
    PEPPERS_SECRET: 'arn:peppers',
    PUBLIC_KEYS_PARAMETER: '/public-keys',
    SECRETS_MANAGER_ENDPOINT: aws.endpoint,
    SSM_ENDPOINT: aws.endpoint,
  });
  await start();
});
afterEach(() => aws.close());

const TOKEN = 'a-version-that-is-to-become-current';
/** What RotateSecret does before it calls the function. */
const begin = (arn: string) => aws.store.putVersion(aws.store.secret(arn)!, { id: TOKEN, labels: ['AWSPENDING'] });
const step = (arn: string, Step: SecretsManagerRotationEvent['Step']) =>
  handler({ Step, SecretId: arn, ClientRequestToken: TOKEN });
const rotate = (arn: string) =>
  logged(async () => {
    begin(arn);
    for (const each of STEPS) await step(arn, each);
  });
const textOf = (arn: string) => aws.store.secret(arn)!.text;
const published = () => keySetFrom(aws.store.parameter('/public-keys')!.text).keys.map(({ kid }) => kid);

test('rotates the signing keys: one more, published, to sign in three hours', async () => {
  const { lines } = await rotate('arn:signing');
  const [old, made] = signingRingFrom(textOf('arn:signing'));
  expect(published()).toEqual([old!.kid, made!.kid]);
  expect(made!.signsFrom - made!.publishedAt).toBe(3 * 3_600);
  // The last token of a function that could not read the new ring for a day.
  expect(old!.endsAt! - made!.signsFrom).toBe(DAY + 900);
  expect([textOf('arn:refresh'), textOf('arn:peppers')]).toEqual([keys.refresh, keys.peppers]);
  expect(aws.store.secret('arn:signing')!.versionId).toBe(TOKEN);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
    STEPS.map((each) => expect.objectContaining({ event: 'rotation-step', step: each, secret: 'arn:signing' })),
  );
});

test('rotates the refresh secrets: the old one is accepted as long as its sessions can last', async () => {
  await rotate('arn:refresh');
  const [old, made] = sharedSecretsFrom(textOf('arn:refresh'));
  expect(old!.endsAt! - made!.signsFrom).toBe(DAY + 90 * DAY);
  expect([textOf('arn:signing'), aws.store.parameter('/public-keys')!.text]).toEqual([keys.signing, keys.published]);
});

test('rotates the peppers: the old one never ends', async () => {
  await rotate('arn:peppers');
  expect(sharedSecretsFrom(textOf('arn:peppers')).map(({ endsAt }) => endsAt)).toEqual([undefined, undefined]);
  expect(textOf('arn:signing')).toBe(keys.signing);
});

test('makes a key for the algorithm of its settings', async () => {
  process.env['SIGNING_ALGORITHM'] = 'EdDSA';
  await start();
  await rotate('arn:signing');
  Reflect.deleteProperty(process.env, 'SIGNING_ALGORITHM');
  expect(signingRingFrom(textOf('arn:signing')).map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA']);
});

test('two at the same time, through Secrets Manager itself, leave one new key', async () => {
  await logged(async () => {
    begin('arn:signing');
    for (const each of STEPS) await Promise.all([step('arn:signing', each), step('arn:signing', each)]);
  });
  expect(signingRingFrom(textOf('arn:signing'))).toHaveLength(2);
  expect(published()).toHaveLength(2);
});

describe('a step that fails', () => {
  const failed = async (arn: string, Step: (typeof STEPS)[number] = 'createSecret') => {
    const { lines } = await logged(() => expect(step(arn, Step)).rejects.toThrow(/^The rotation step failed.$/));
    return lines.map((line) => JSON.parse(line) as unknown);
  };

  test('says why in the log and nothing in what it throws', async () => {
    expect(await failed('arn:signing')).toEqual([
      expect.objectContaining({ level: 'ERROR', event: 'rotation-failed', reason: 'no such version is pending' }),
    ]);
    begin('arn:signing');
    expect(await failed('arn:signing', 'setSecret')).toEqual([
      expect.objectContaining({ error: 'RotationHalted', reason: 'there is no pending ring' }),
    ]);
  });

  test('also for a secret that is none of ours', async () => {
    expect(await failed('arn:other')).toEqual([expect.objectContaining({ reason: 'not a secret of this function' })]);
  });

  test('and where AWS is out of reach: no address gets into the log', async () => {
    process.env['SECRETS_MANAGER_ENDPOINT'] = 'http://127.0.0.1:1';
    await start();
    const lines = await failed('arn:signing');
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toMatch(/127\.0\.0\.1/);
  });

  test('because the ring was changed meanwhile lets the next rotation begin anew', async () => {
    await logged(async () => {
      begin('arn:signing');
      for (const each of STEPS.slice(0, 3)) await step('arn:signing', each);
    });
    const { signing, published: set } = await newKeyTexts();
    aws.store.putSecret(aws.store.secret('arn:signing')!, signing);
    expect(await failed('arn:signing', 'finishSecret')).toEqual([
      expect.objectContaining({ reason: 'the ring was changed meanwhile' }),
    ]);
    expect(textOf('arn:signing')).toBe(signing);
    expect(aws.store.parameter('/public-keys')!.text).toBe(set);
    expect(aws.store.secret('arn:signing')!.versions.flatMap(({ labels }) => labels)).not.toContain('AWSPENDING');
    await rotate('arn:signing');
    expect(signingRingFrom(textOf('arn:signing'))).toHaveLength(2);
  });
});

test('a pending version that stands there for too long is given up', async () => {
  await logged(async () => {
    begin('arn:signing');
    await step('arn:signing', 'createSecret');
  });
  const later = jest.spyOn(Date, 'now').mockReturnValue((unixSeconds(Date.now() / 1000) + 3_600) * 1000);
  const { lines } = await logged(() => expect(step('arn:signing', 'setSecret')).rejects.toThrow());
  later.mockRestore();
  expect(lines.join('')).toContain('the new key would sign too early');
  expect(published()).toHaveLength(1);
});
