import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
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

test('an operation or version that it does not play is a clear 400', async () => {
  const answer = await fetch(standIn.endpoint, {
    method: 'POST',
    body: '{}',
    headers: { 'X-Amz-Target': 'secretsmanager.RotateSecret' },
  });
  expect([answer.status, await answer.json()]).toEqual([
    400,
    { __type: 'UnknownOperationException', message: 'The local stand-in does not know secretsmanager.RotateSecret.' },
  ]);
  const previous = new GetSecretValueCommand({ SecretId: ARN, VersionStage: 'AWSPREVIOUS' });
  await expect(secretsManager().send(previous)).rejects.toThrow('only the current version');
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
