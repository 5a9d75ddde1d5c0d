/**
 * The deployed bundles with keys in KMS: the way there from a key in the secret, a rotation, and the emergency brake, under
 * traffic and before the eyes of a verifier that we did not write.
 */
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { JwtVerifier } from 'aws-jwt-verify';
import { decodeProtectedHeader } from 'jose';
import { setTimeout } from 'node:timers/promises';
import { listKeys, retireKey, startRotation, type ShownKey } from '../../infra/cli/key-rings.ts';
import type { KeysAccess } from '../../infra/cli/keys-access.ts';
import { aGateway, PASSWORD, type TestGateway } from '../support/local-gateway.ts';

const PUBLICATION_SECONDS = 10;

let api: TestGateway;
let keys: KeysAccess;
beforeAll(async () => {
  const environment = { KEY_PUBLICATION_SECONDS: String(PUBLICATION_SECONDS), KEY_REFRESH_SECONDS: '1' };
  // The first key is made in the secret, as before the deployment changed to KMS.
  const asBefore = (functionId: string): Record<string, string> =>
    functionId.startsWith('MakeKeys') ? { SIGNING: 'secret' } : {};
  api = await aGateway(environment, { signing: 'kms' }, asBefore);
  const config = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  keys = {
    secretsManager: new SecretsManagerClient({ ...config, endpoint: api.secretsEndpoint }),
    parameterStore: new SSMClient({ ...config, endpoint: api.secretsEndpoint }),
    kms: new KMSClient({ ...config, endpoint: api.kmsEndpoint }),
    signingKeys: api.output('SigningKeysSecret'),
    refreshSecrets: api.output('RefreshSecretsSecret'),
    peppers: api.output('PeppersSecret'),
    publicKeys: api.output('PublicKeysParameter'),
    close: () => Promise.resolve(),
  };
  await api.user('ada');
});
afterAll(async () => {
  for (const client of [keys.secretsManager, keys.parameterStore, keys.kms]) client.destroy();
  await api.close();
});

const kidOf = (token: string) => decodeProtectedHeader(token).kid;
const signingKeys = async () => (await listKeys(keys)).filter(({ kind }) => kind === 'signing-keys');

/** aws-jwt-verify with the key set as anybody gets it; it fetches by https alone. @throws {Error} for a token that is not good */
async function verified(token: string): Promise<void> {
  const verifier = JwtVerifier.create({
    issuer: api.url,
    audience: 'latchkey',
    jwksUri: 'https://issuer.example/keys',
  });
  verifier.cacheJwks((await api.get('/.well-known/jwks.json')).body as unknown as { keys: [] });
  expect((await verifier.verify(token)).iss).toBe(api.url);
}

/** Starts a rotation; a machine so slow that it was given up tries again. @returns the key that comes in */
async function rotated(): Promise<ShownKey> {
  const known = new Set((await signingKeys()).map(({ kid }) => kid));
  for (let attempt = 1; ; attempt += 1) {
    try {
      await startRotation(keys, 'signing-keys');
      return (await signingKeys()).find(({ kid }) => !known.has(kid))!;
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

/** Refreshes and asks for the profile until another key signs. @throws {Error} for the first answer that is not 200 */
async function until(
  kid: string,
  first: { access: string; refresh: string },
): Promise<{ access: string; refresh: string }> {
  let pair = first;
  for (;;) {
    const { status, body, text } = await api.post('/api/token/refresh', { refresh: pair.refresh });
    if (status !== 200) throw new Error(text);
    pair = { access: String(body['access']), refresh: String(body['refresh']) };
    if (kidOf(pair.access) === kid) return pair;
    await setTimeout(100);
  }
}

test('keys move to KMS, rotate there and are taken back in an emergency, and no request fails for it', async () => {
  const [inSecret] = await signingKeys();
  const old = await api.login('ada');
  expect([kidOf(old.access), inSecret?.kmsKey]).toEqual([inSecret?.kid, undefined]);

  // To KMS.
  const next = await rotated();
  expect(next.kmsKey).toMatch(/^arn:aws:kms:/);
  let pair = await until(next.kid, old);
  for (const token of [old.access, pair.access]) await verified(token);
  await expect(verified(`${pair.access.slice(0, -8)}AAAAAAAA`)).rejects.toThrow();
  for (const token of [old.access, pair.access, pair.refresh]) {
    expect((await api.post('/api/token/verify', { token })).status).toBe(200);
  }

  // A rotation in KMS.
  const third = await rotated();
  pair = await until(third.kid, pair);
  await verified(pair.access);
  expect((await signingKeys()).map(({ state, kmsKey }) => [state, kmsKey !== undefined])).toEqual([
    ['previous', false],
    ['previous', true],
    ['current', true],
  ]);

  // The emergency brake: the functions still know the key, and KMS does not sign with it any more.
  const { signing } = await retireKey(keys, third.kid);
  const after = await api.post('/api/token', { username: 'ada', password: PASSWORD });
  expect([after.status, kidOf(String(after.body['access']))]).toEqual([200, signing]);
  const refreshed = await api.post('/api/token/refresh', { refresh: pair.refresh });
  expect([refreshed.status, kidOf(String(refreshed.body['access']))]).toEqual([200, signing]);
  expect((await signingKeys()).find(({ kid }) => kid === signing)?.kmsKey).toMatch(/^arn:aws:kms:/);
});
