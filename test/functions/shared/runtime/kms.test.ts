import { KMSClient } from '@aws-sdk/client-kms';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createPublicKey, verify } from 'node:crypto';
import { SIGNING_ALGORITHMS } from '../../../../functions/shared/domain/settings.ts';
import { keeperInKms } from '../../../../functions/shared/runtime/kms-keeper.ts';
import { signerInKms } from '../../../../functions/shared/runtime/kms-signer.ts';
import { serve } from '../../../support/http-server.ts';
import { startTestKms, type TestKms } from '../../../support/kms.ts';

const RING = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:SigningKeys-a1b2c3';
const MESSAGE = Buffer.from('what is signed');

let kms: TestKms;
let client: KMSClient;
beforeEach(async () => {
  kms = await startTestKms();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new KMSClient({ endpoint: kms.endpoint, region: 'us-east-1', credentials, maxAttempts: 2 });
});
afterEach(async () => {
  client.destroy();
  await kms.close();
});

const keeper = (ring = RING) => keeperInKms(ring, client);
const sign = (id: string, message: Uint8Array = MESSAGE) => signerInKms(client)(id, 'ES256', message);

test.each(SIGNING_ALGORITHMS)(
  'a key for %s signs what its public key verifies, also by its digest, and is marked with its ring',
  async (alg) => {
    const id = await keeper().make(alg);
    expect(id).toMatch(/^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-f-]{36}$/);
    expect(kms.keys().map(({ tags }) => tags)).toEqual([{ 'latchkey-ring': RING }]);
    const publicKey = createPublicKey({ key: Buffer.from(await keeper().publicKey(id)), format: 'der', type: 'spki' });
    // KMS takes no message as long as the second, and EdDSA has no digest.
    for (const message of alg === 'EdDSA' ? [MESSAGE] : [MESSAGE, Buffer.alloc(5_000, 'x')]) {
      const signature = await signerInKms(client)(id, alg, message);
      expect(verify(alg === 'EdDSA' ? null : 'sha256', message, publicKey, signature)).toBe(true);
      expect(verify(alg === 'EdDSA' ? null : 'sha256', Buffer.from('other'), publicKey, signature)).toBe(false);
    }
  },
);

test('a token too long for EdDSA in KMS is a defect and no outage, for it stays too long', async () => {
  const long = Buffer.alloc(4_097, 'x');
  await expect(signerInKms(client)(await keeper().make('EdDSA'), 'EdDSA', long)).rejects.toMatchObject({
    name: 'ValidationException',
  });
});

describe('the keys of a ring', () => {
  test('are those that carry its mark and are not on their way out, among any number of others', async () => {
    const mine = [await keeper().make('ES256')];
    for (let other = 0; other < 6; other += 1) await keeper(`${RING}-other`).make('EdDSA');
    mine.push(await keeper().make('ES256'), await keeper().make('ES256'));
    expect((await keeper().ours()).map(({ id }) => id)).toEqual(mine);
    await keeper().remove(mine[1]!);
    expect((await keeper().ours()).map(({ id }) => id)).toEqual([mine[0], mine[2]]);
    kms.setState(mine[0]!, 'Disabled');
    expect(await keeper().ours()).toHaveLength(2);
    const now = Date.now() / 1000;
    for (const { madeAt } of await keeper().ours()) expect(Math.abs(madeAt - now)).toBeLessThan(600);
  });

  test.each(['AccessDeniedException', 'NotFoundException'])(
    'are not those whose tags cannot be seen (%s), and another refusal is no answer',
    async (refusal) => {
      let later = { status: 400, body: JSON.stringify({ __type: refusal, message: 'no' }) };
      const server = await serve(({ headers }) =>
        String(headers['x-amz-target']).endsWith('.ListKeys')
          ? { body: JSON.stringify({ Keys: [{ KeyId: 'one' }, {}], Truncated: false }) }
          : later,
      );
      const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
      const elsewhere = new KMSClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
      try {
        expect(await keeperInKms(RING, elsewhere).ours()).toEqual([]);
        later = { status: 400, body: JSON.stringify({ __type: 'KMSInternalException', message: 'no' }) };
        await expect(keeperInKms(RING, elsewhere).ours()).rejects.toThrow();
      } finally {
        elsewhere.destroy();
        await server.close();
      }
    },
  );

  test('can be removed twice, and one that is not there too', async () => {
    const id = await keeper().make('ES256');
    await keeper().remove(id);
    await keeper().remove(id);
    await keeper().remove('arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000000');
    expect(kms.keys().map(({ state }) => state)).toEqual(['PendingDeletion']);
  });

  test('cannot be listed, made or removed while KMS is out of reach', async () => {
    const id = await keeper().make('ES256');
    kms.disturb('fail');
    await expect(keeper().ours()).rejects.toThrow();
    await expect(keeper().make('ES256')).rejects.toThrow();
    await expect(keeper().remove(id)).rejects.toThrow();
    expect(kms.keys().map(({ state }) => state)).toEqual(['Enabled']);
  });
});

describe('a signature', () => {
  test.each(['refuse', 'throttle', 'fail'] as const)('is an outage where KMS does not give it (%s)', async (fault) => {
    const id = await keeper().make('ES256');
    kms.disturb(fault);
    await expect(sign(id)).rejects.toMatchObject({ name: 'Outage', message: 'KMS out of reach' });
    // It is tried again first.
    expect(kms.calls.filter((call) => call === 'Sign')).toHaveLength(2);
  });

  test('says of a key out of service that it is so, whichever way it went', async () => {
    const [disabled, removed] = [await keeper().make('ES256'), await keeper().make('ES256')];
    kms.setState(disabled, 'Disabled');
    await keeper().remove(removed);
    for (const id of [disabled, removed, disabled.replace(/.$/, 'x')]) {
      await expect(sign(id)).rejects.toMatchObject({ name: 'KeyUnusable' });
    }
  });

  test('for which a key is of the wrong kind is a defect and no outage', async () => {
    const id = await keeper().make('EdDSA');
    await expect(sign(id)).rejects.toMatchObject({ name: 'InvalidKeyUsageException' });
  });
});
