import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SESSION_TOKEN } from '../../../infra/local/lambda.ts';
import { type SecretsStandIn, startSecretsStandIn } from '../../../infra/local/secrets-stand-in.ts';

const ARN = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:keys-AbCdEf';
let folder: string;
let file: string;
let standIn: SecretsStandIn;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-secrets-'));
  file = join(folder, 'secrets.json');
  standIn = await startSecretsStandIn(file);
  standIn.store.declareSecret(ARN, 'keys', 'first');
  standIn.store.declareParameter('/public/keys', 'set 1');
});
afterEach(async () => {
  await standIn.close();
  rmSync(folder, { recursive: true });
});

const options = () => ({
  endpoint: standIn.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  maxAttempts: 1,
});
const secretsManager = () => new SecretsManagerClient(options());
const ssm = () => new SSMClient(options());
const extension = async (path: string, token = SESSION_TOKEN) => {
  const answer = await fetch(standIn.endpoint + path, { headers: { 'X-Aws-Parameters-Secrets-Token': token } });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

test('the SDK reads and writes a secret by ARN and by name', async () => {
  for (const SecretId of [ARN, 'keys']) {
    const { SecretString, Name } = await secretsManager().send(new GetSecretValueCommand({ SecretId }));
    expect([SecretString, Name]).toEqual(['first', 'keys']);
  }
  await secretsManager().send(new PutSecretValueCommand({ SecretId: ARN, SecretString: 'second' }));
  const { SecretString } = await secretsManager().send(new GetSecretValueCommand({ SecretId: 'keys' }));
  expect(SecretString).toBe('second');
});

test('the SDK reads a parameter, and writes over it only when it says so', async () => {
  const Name = '/public/keys';
  const put = (Overwrite: boolean) =>
    ssm().send(new PutParameterCommand({ Name, Value: 'set 2', Type: 'String', Overwrite }));
  await expect(put(false)).rejects.toMatchObject({ name: 'ParameterAlreadyExists' });
  expect((await put(true)).Version).toBe(2);
  const { Parameter } = await ssm().send(new GetParameterCommand({ Name }));
  expect(Parameter).toMatchObject({ Name, Value: 'set 2', Version: 2, Type: 'String' });
});

test('what is not there is refused by the name that AWS gives the error', async () => {
  await expect(secretsManager().send(new GetSecretValueCommand({ SecretId: 'none' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
  await expect(ssm().send(new GetParameterCommand({ Name: 'none' }))).rejects.toMatchObject({
    name: 'ParameterNotFound',
  });
});

test('the extension’s GETs answer functions, and those who know no session token get 401', async () => {
  const secret = await extension(`/secretsmanager/get?secretId=${encodeURIComponent(ARN)}`);
  expect([secret.status, secret.body['SecretString']]).toEqual([200, 'first']);
  const parameter = await extension('/systemsmanager/parameters/get?name=%2Fpublic%2Fkeys');
  expect([parameter.status, parameter.body['Parameter']]).toEqual([200, expect.objectContaining({ Value: 'set 1' })]);
  expect((await extension(`/secretsmanager/get?secretId=keys`, 'guess')).status).toBe(401);
  expect((await extension(`/secretsmanager/get?secretId=none`)).status).toBe(400);
});

test('an operation that it does not play is a clear 400', async () => {
  const answer = await fetch(standIn.endpoint, {
    method: 'POST',
    body: '{}',
    headers: { 'X-Amz-Target': 'secretsmanager.CancelRotateSecret' },
  });
  expect([answer.status, await answer.json()]).toEqual([
    400,
    {
      __type: 'UnknownOperationException',
      message: 'The local stand-in does not know secretsmanager.CancelRotateSecret.',
    },
  ]);
});

describe('versions of a secret', () => {
  const put = (id: string, text: string, ...VersionStages: string[]) =>
    secretsManager().send(
      new PutSecretValueCommand({ SecretId: ARN, ClientRequestToken: id, SecretString: text, VersionStages }),
    );
  const get = async (of: { VersionId?: string; VersionStage?: string }) =>
    (await secretsManager().send(new GetSecretValueCommand({ SecretId: ARN, ...of }))).SecretString;
  const move = (MoveToVersionId: string | undefined, RemoveFromVersionId?: string, VersionStage = 'AWSCURRENT') =>
    secretsManager().send(
      new UpdateSecretVersionStageCommand({ SecretId: ARN, VersionStage, MoveToVersionId, RemoveFromVersionId }),
    );
  const labels = async () =>
    (await secretsManager().send(new DescribeSecretCommand({ SecretId: ARN }))).VersionIdsToStages;
  const ID = (name: string) => name.padEnd(32, '-');
  const first = () => standIn.store.secret(ARN)!.versionId;

  test('are pending until they are made current in the place of the one that is', async () => {
    const old = first();
    await put(ID('new'), 'second', 'AWSPENDING');
    expect([await get({}), await get({ VersionStage: 'AWSPENDING' }), await get({ VersionId: ID('new') })]).toEqual([
      'first',
      'second',
      'second',
    ]);
    await expect(move(ID('new'))).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(move(ID('new'), ID('other'))).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await move(ID('new'), old);
    expect([await get({}), await get({ VersionStage: 'AWSPREVIOUS' })]).toEqual(['second', 'first']);
    expect(await labels()).toEqual({ [ID('new')]: ['AWSPENDING', 'AWSCURRENT'], [old]: ['AWSPREVIOUS'] });
    await move(undefined, ID('new'), 'AWSPENDING');
    expect(await labels()).toMatchObject({ [ID('new')]: ['AWSCURRENT'] });
  });

  test('take the same value twice and no other', async () => {
    await put(ID('new'), 'second', 'AWSPENDING');
    await put(ID('new'), 'second', 'AWSPENDING');
    await expect(put(ID('new'), 'third', 'AWSPENDING')).rejects.toMatchObject({ name: 'ResourceExistsException' });
    expect(await get({ VersionStage: 'AWSPENDING' })).toBe('second');
  });

  test('outlive the stand-in', async () => {
    await put(ID('new'), 'second', 'AWSPENDING');
    await standIn.close();
    standIn = await startSecretsStandIn(file);
    expect([await get({}), await get({ VersionStage: 'AWSPENDING' })]).toEqual(['first', 'second']);
  });

  test('are read from a file that was written before there were any', async () => {
    await standIn.close();
    const secret = { arn: ARN, name: 'keys', text: 'kept', versionId: 'v', writtenAt: 1 };
    writeFileSync(file, JSON.stringify({ secrets: [secret], parameters: [] }));
    standIn = await startSecretsStandIn(file);
    expect(await get({})).toBe('kept');
    expect(await labels()).toEqual({ v: ['AWSCURRENT'] });
  });

  test('without a label are not kept for ever', async () => {
    for (let n = 1; n <= 40; n += 1) await put(ID(`${n}`), `${n}`, 'AWSCURRENT');
    expect(standIn.store.secret(ARN)!.versions.length).toBeLessThan(30);
    expect(await get({})).toBe('40');
  });
});

describe('RotateSecret', () => {
  const rotate = () => secretsManager().send(new RotateSecretCommand({ SecretId: ARN }));

  test('calls the function that rotates the secret with the four steps and one new version', async () => {
    const events: { Step: string; SecretId: string; ClientRequestToken: string }[] = [];
    standIn.rotateWith(ARN, (event) => Promise.resolve(void events.push(event)).then(() => true));
    const { VersionId } = await rotate();
    expect(events).toEqual(
      ['createSecret', 'setSecret', 'testSecret', 'finishSecret'].map((Step) => ({
        Step,
        SecretId: ARN,
        ClientRequestToken: VersionId,
      })),
    );
  });

  test('goes on with the version of a rotation that was not finished', async () => {
    const tokens: string[] = [];
    standIn.rotateWith(ARN, ({ ClientRequestToken }) => Promise.resolve(tokens.push(ClientRequestToken) > 1));
    await expect(rotate()).rejects.toThrow('The step createSecret failed');
    await rotate();
    expect(new Set(tokens).size).toBe(1);
    expect(tokens).toHaveLength(5);
  });

  test('is refused where no function rotates the secret', async () => {
    await expect(rotate()).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });
});

test.each(['', '[]', '{"SecretId":7}', '{'])('the body %j is a 400', async (body) => {
  const headers = { 'X-Amz-Target': 'secretsmanager.GetSecretValue' };
  expect((await fetch(standIn.endpoint, { method: 'POST', body, headers })).status).toBe(400);
});

test('values outlive it, in a file for its owner only, and a declared one is not written over', async () => {
  await secretsManager().send(new PutSecretValueCommand({ SecretId: ARN, SecretString: 'second' }));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await standIn.close();
  standIn = await startSecretsStandIn(file);
  standIn.store.declareSecret(ARN, 'keys', 'first again');
  expect(standIn.store.secret(ARN)?.text).toBe('second');
  expect(standIn.store.parameter('/public/keys')?.text).toBe('set 1');
});

test('without a file it forgets', async () => {
  const other = await startSecretsStandIn();
  expect(other.store.secret(ARN)).toBeUndefined();
  await other.close();
});
