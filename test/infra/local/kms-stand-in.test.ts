import {
  CreateKeyCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetPublicKeyCommand,
  KMSClient,
  type MessageType,
  ScheduleKeyDeletionCommand,
  SignCommand,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KmsStandIn, startKmsStandIn } from '../../../infra/local/kms-stand-in.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-kms-'));
const file = join(folder, 'kms.json');
let standIn: KmsStandIn;
let client: KMSClient;
const open = async () => {
  standIn = await startKmsStandIn(file);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new KMSClient({ endpoint: standIn.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
};
beforeAll(open);
afterAll(async () => {
  client.destroy();
  await standIn.close();
  rmSync(folder, { recursive: true });
});

const make = async (KeySpec: 'ECC_NIST_P256' | 'ECC_NIST_EDWARDS25519' | 'RSA_3072') => {
  const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }));
  return KeyMetadata!.Arn!;
};
const sign = async (
  KeyId: string,
  SigningAlgorithm: SigningAlgorithmSpec,
  MessageType: MessageType,
  Message: Uint8Array,
) => (await client.send(new SignCommand({ KeyId, SigningAlgorithm, MessageType, Message }))).Signature!;
const message = Buffer.from('a message');
const digest = createHash('sha256').update(message).digest();

test('signs what its public key verifies, and answers ECDSA in DER', async () => {
  for (const [spec, algorithm, type] of [
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'DIGEST'],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'RAW'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', 'RAW'],
    ['RSA_3072', 'RSASSA_PKCS1_V1_5_SHA_256', 'DIGEST'],
  ] as const) {
    const id = await make(spec);
    const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId: id }));
    const key = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' });
    const signature = await sign(id, algorithm, type, type === 'DIGEST' ? digest : message);
    const hash = spec === 'ECC_NIST_EDWARDS25519' ? null : 'sha256';
    expect([spec, type, verify(hash, message, key, signature)]).toEqual([spec, type, true]);
    if (spec === 'ECC_NIST_P256') expect(signature[0]).toBe(0x30);
  }
});

test('refuses what KMS refuses: another algorithm, a digest of another length, a message too long', async () => {
  const id = await make('ECC_NIST_P256');
  const edwards = await make('ECC_NIST_EDWARDS25519');
  const refusals = [
    [sign(id, 'RSASSA_PKCS1_V1_5_SHA_256', 'DIGEST', digest), 'InvalidKeyUsageException'],
    [sign(id, 'ECDSA_SHA_256', 'DIGEST', message), 'ValidationException'],
    [sign(id, 'ECDSA_SHA_256', 'RAW', Buffer.alloc(4_097)), 'ValidationException'],
    [sign(edwards, 'ED25519_SHA_512', 'DIGEST', digest), 'ValidationException'],
    [sign('arn:aws:kms:us-east-1:000000000000:key/none', 'ECDSA_SHA_256', 'DIGEST', digest), 'NotFoundException'],
  ] as const;
  for (const [attempt, name] of refusals) await expect(attempt).rejects.toMatchObject({ name });
});

test('a key whose deletion is ordered signs no more and shows nothing, and is ordered once', async () => {
  const KeyId = await make('ECC_NIST_P256');
  const order = (PendingWindowInDays: number) =>
    client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays }));
  await expect(order(6)).rejects.toMatchObject({ name: 'ValidationException' });
  await order(7);
  const invalid = { name: 'KMSInvalidStateException' };
  await expect(order(7)).rejects.toMatchObject(invalid);
  await expect(sign(KeyId, 'ECDSA_SHA_256', 'DIGEST', digest)).rejects.toMatchObject(invalid);
  await expect(client.send(new GetPublicKeyCommand({ KeyId }))).rejects.toMatchObject(invalid);
  const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }));
  expect(KeyMetadata).toMatchObject({ KeyState: 'PendingDeletion', KeySpec: 'ECC_NIST_P256' });
});

test('keys outlive it, in a file for its owner only', async () => {
  const id = await make('ECC_NIST_P256');
  const before = standIn.keys();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).toContain('PRIVATE KEY');
  client.destroy();
  await standIn.close();
  await open();
  expect(standIn.keys()).toEqual(before);
  expect((await sign(id, 'ECDSA_SHA_256', 'DIGEST', digest)).length).toBeGreaterThan(60);
});

test('an operation that it does not play is a clear 400', async () => {
  const asked = client.send(new EncryptCommand({ KeyId: 'x', Plaintext: message }));
  await expect(asked).rejects.toMatchObject({ name: 'UnknownOperationException' });
  const rsa = new CreateKeyCommand({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
  await expect(client.send(rsa)).rejects.toMatchObject({ name: 'UnsupportedOperationException' });
});
