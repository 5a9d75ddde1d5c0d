import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { sharedSecretsFrom, signingRingFrom } from '../../../functions/shared/token/key-ring.ts';
import { keySetFrom } from '../../../functions/shared/token/public-keys.ts';
import { startSecretsStandIn, type SecretsStandIn } from '../../../infra/local/secrets-stand-in.ts';
import { serve, type Answer, type TestServer } from '../../support/http-server.ts';
import { startTestKms, type TestKms } from '../../support/kms.ts';
import { logged } from '../../support/logged.ts';

const SECRETS = ['arn:signing', 'arn:refresh', 'arn:peppers'];
const PLACEHOLDER = 'hunter2, which is no key ring';

let aws: SecretsStandIn;
let cloudFormation: TestServer;
let answers: Answer[];
let handler: (event: CloudFormationCustomResourceEvent) => Promise<void>;

const start = async () => {
  jest.resetModules();
  ({ handler } = await import('../../../functions/make-keys/handler.ts'));
};

beforeAll(async () => {
  cloudFormation = await serve(() => answers.shift() ?? {});
});
afterAll(() => cloudFormation.close());

beforeEach(async () => {
  aws = await startSecretsStandIn();
  for (const arn of SECRETS) aws.store.declareSecret(arn, arn, PLACEHOLDER);
  aws.store.declareParameter('/public-keys', '-');
  answers = [];
  cloudFormation.received.length = 0;
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

type RequestType = CloudFormationCustomResourceEvent['RequestType'];

function eventOf(type: RequestType): CloudFormationCustomResourceEvent {
  const common = {
    ServiceToken: 'arn:lambda',
    ResponseURL: `${cloudFormation.url}/answer?X-Amz-Signature=abc%2Bdef`,
    StackId: 'arn:stack',
    RequestId: 'a-request',
    LogicalResourceId: 'Keys',
    ResourceType: 'Custom::Keys',
    ResourceProperties: { ServiceToken: 'arn:lambda' },
  };
  const made = { ...common, PhysicalResourceId: 'keys' };
  const events: Record<RequestType, CloudFormationCustomResourceEvent> = {
    Create: { ...common, RequestType: 'Create' },
    Update: { ...made, RequestType: 'Update', OldResourceProperties: common.ResourceProperties },
    Delete: { ...made, RequestType: 'Delete' },
  };
  return events[type];
}

const run = (type: RequestType) => logged(() => handler(eventOf(type)));
const secretsNow = () => SECRETS.map((arn) => aws.store.secret(arn)?.text ?? '');
const answered = () => cloudFormation.received.map(({ body }) => JSON.parse(body) as unknown);
const answerOf = (Status: string) => ({
  Status,
  StackId: 'arn:stack',
  RequestId: 'a-request',
  LogicalResourceId: 'Keys',
  PhysicalResourceId: 'keys',
});

describe('when the stack is made', () => {
  test('fills the three secrets and publishes the key, then answers CloudFormation', async () => {
    const { lines } = await run('Create');
    expect(answered()).toEqual([answerOf('SUCCESS')]);
    const [signing = '', refresh = '', peppers = ''] = secretsNow();
    const kids = signingRingFrom(signing).map(({ kid }) => kid);
    expect(keySetFrom(aws.store.parameter('/public-keys')?.text ?? '').keys.map(({ kid }) => kid)).toEqual(kids);
    expect([sharedSecretsFrom(refresh), sharedSecretsFrom(peppers)].map((ring) => ring.length)).toEqual([1, 1]);
    expect(refresh).not.toBe(peppers);
    expect(lines).toEqual([]);
  });

  test('answers the way a presigned URL wants it: PUT, its query kept, no content type', async () => {
    await run('Create');
    expect(cloudFormation.received[0]).toMatchObject({
      method: 'PUT',
      path: '/answer?X-Amz-Signature=abc%2Bdef',
    });
    expect(cloudFormation.received[0]?.headers['content-type'] ?? '').toBe('');
  });

  test('makes a key for the algorithm of its settings', async () => {
    process.env['SIGNING_ALGORITHM'] = 'EdDSA';
    await start();
    await run('Create');
    Reflect.deleteProperty(process.env, 'SIGNING_ALGORITHM');
    expect(signingRingFrom(secretsNow()[0] ?? '')[0]?.alg).toBe('EdDSA');
  });

  test('makes the parameter where it is not there', async () => {
    process.env['PUBLIC_KEYS_PARAMETER'] = '/other';
    await start();
    await run('Create');
    expect(keySetFrom(aws.store.parameter('/other')?.text ?? '').keys).toHaveLength(1);
  });
});

describe('when the stack is changed', () => {
  test('changes no key', async () => {
    await run('Create');
    const before = secretsNow();
    await run('Update');
    expect(secretsNow()).toEqual(before);
    expect(aws.store.parameter('/public-keys')?.version).toBe(2);
    expect(answered()).toEqual([answerOf('SUCCESS'), answerOf('SUCCESS')]);
  });
});

describe('when the stack is deleted', () => {
  test('leaves every key where it is and says so', async () => {
    await run('Create');
    const before = secretsNow();
    await run('Delete');
    expect(secretsNow()).toEqual(before);
    expect(answered()[1]).toEqual(answerOf('SUCCESS'));
  });

  test('says so also where nothing can be reached, or the stack could not be removed', async () => {
    process.env['SECRETS_MANAGER_ENDPOINT'] = 'http://127.0.0.1:1';
    await start();
    await run('Delete');
    expect(answered()).toEqual([answerOf('SUCCESS')]);
  });
});

describe('with keys in KMS', () => {
  let kms: TestKms;
  beforeEach(async () => {
    kms = await startTestKms();
    Object.assign(process.env, { SIGNING: 'kms', KMS_ENDPOINT: kms.endpoint, PATIENCE: '20' });
    await start();
  });
  afterEach(async () => {
    for (const name of ['SIGNING', 'KMS_ENDPOINT', 'PATIENCE']) Reflect.deleteProperty(process.env, name);
    await kms.close();
  });
  const deleted = (KmsKeys?: string) => {
    const event = eventOf('Delete');
    return { ...event, ResourceProperties: { ...event.ResourceProperties, ...(KmsKeys && { KmsKeys }) } };
  };
  const states = () => kms.keys().map(({ state }) => state);

  test('makes one there, marked with the ring, and publishes it; the second run makes none', async () => {
    await run('Create');
    await run('Update');
    const ring = signingRingFrom(secretsNow()[0] ?? '');
    expect(ring).toEqual([expect.objectContaining({ alg: 'ES256', kmsKey: expect.stringMatching(/^arn:aws:kms:/) })]);
    expect(keySetFrom(aws.store.parameter('/public-keys')?.text ?? '').keys.map(({ kid }) => kid)).toEqual(
      ring.map(({ kid }) => kid),
    );
    expect(kms.keys().map(({ tags }) => tags)).toEqual([{ 'latchkey-ring': 'arn:signing' }]);
    expect(answered()).toEqual([answerOf('SUCCESS'), answerOf('SUCCESS')]);
  });

  test('takes those of this ring back when a stack that keeps nothing is deleted, and says so', async () => {
    await run('Create');
    process.env['SIGNING_KEYS_SECRET'] = 'arn:refresh';
    await start();
    await run('Update');
    await logged(() => handler(deleted('destroy')));
    expect([states(), answered()[2]]).toEqual([['Enabled', 'PendingDeletion'], answerOf('SUCCESS')]);
  });

  test('leaves them where a stack keeps its secrets', async () => {
    await run('Create');
    for (const property of ['retain', undefined]) await logged(() => handler(deleted(property)));
    expect(states()).toEqual(['Enabled']);
  });

  test('says that the stack is to be deleted once more where KMS is out of reach', async () => {
    await run('Create');
    kms.disturb('fail');
    await logged(() => handler(deleted('destroy')));
    expect(answered()[1]).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('delete it once more') });
  });

  test('refuses to leave KMS in one step, in words for whoever deploys', async () => {
    await run('Create');
    process.env['SIGNING'] = 'secret';
    await start();
    await run('Update');
    expect(answered()[1]).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('secret-after-kms') });
  });

  test('fails the deployment while KMS is out of reach', async () => {
    kms.disturb('refuse');
    await run('Create');
    expect(answered()).toEqual([expect.objectContaining({ Status: 'FAILED' })]);
    expect(cloudFormation.received[0]?.body).not.toMatch(/127\.0\.0\.1|ECONN/);
  });
});

describe('when it fails', () => {
  test('tells CloudFormation at once, without internals, and the log what it was', async () => {
    process.env['PEPPERS_SECRET'] = 'arn:hunter2-missing';
    await start();
    const { lines } = await run('Create');
    expect(answered()).toEqual([
      { ...answerOf('FAILED'), Reason: 'The keys could not be made; see the log of this function.' },
    ]);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: 'ERROR', event: 'keys-not-made', error: 'ResourceNotFoundException' }),
    ]);
    expect(lines.join('')).not.toContain('hunter2');
  });

  test.each(['SECRETS_MANAGER_ENDPOINT', 'SSM_ENDPOINT'])(
    'tells it also where AWS is out of reach (%s)',
    async (name) => {
      process.env[name] = 'http://127.0.0.1:1';
      await start();
      const { lines } = await run('Create');
      expect(answered()).toEqual([expect.objectContaining({ Status: 'FAILED' })]);
      expect(lines).toHaveLength(1);
      expect(cloudFormation.received[0]?.body).not.toMatch(/127\.0\.0\.1|ECONN/);
    },
  );
});

describe('an answer that gets lost', () => {
  test.each<[string, Answer]>([
    ['is refused', { status: 503 }],
    ['finds nobody', 'hang-up'],
  ])('(it %s) is given again', async (_, failure) => {
    answers = [failure, failure];
    await run('Create');
    expect(answered()).toEqual(Array(3).fill(answerOf('SUCCESS')));
  });

  test('three times makes the run fail, for Lambda to run it again, and never turns success into failure', async () => {
    answers = [{ status: 403 }, { status: 403 }, { status: 403 }];
    const { lines } = await logged(() =>
      expect(handler(eventOf('Create'))).rejects.toThrow('CloudFormation answered 403'),
    );
    expect(answered()).toEqual(Array(3).fill(answerOf('SUCCESS')));
    expect(lines).toEqual([]);
    const before = secretsNow();
    await run('Create');
    expect(secretsNow()).toEqual(before);
    expect(answered()[3]).toEqual(answerOf('SUCCESS'));
  });
});

test('the function does not start without its environment, and says what is missing', async () => {
  Object.assign(process.env, { SIGNING_KEYS_SECRET: '', PUBLIC_KEYS_PARAMETER: '' });
  await expect(start()).rejects.toThrow('Environment variables missing: SIGNING_KEYS_SECRET, PUBLIC_KEYS_PARAMETER.');
});

test('the function does not start with an algorithm that there is not, and names the setting', async () => {
  process.env['SIGNING_ALGORITHM'] = 'HS256';
  await expect(start()).rejects.toThrow('Setting signingAlgorithm (SIGNING_ALGORITHM) must be one of');
  Reflect.deleteProperty(process.env, 'SIGNING_ALGORITHM');
});
