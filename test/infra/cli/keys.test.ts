import { KMSClient } from '@aws-sdk/client-kms';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keeperInKms } from '../../../functions/shared/runtime/kms-keeper.ts';
import { after, unixSeconds, type UnixSeconds } from '../../../functions/shared/domain/time.ts';
import {
  hasEnded,
  keySigningAt,
  sharedSecretsFrom,
  signingRingFrom,
} from '../../../functions/shared/token/key-ring.ts';
import { newKmsKey } from '../../../functions/shared/token/kms-keys.ts';
import { newSharedSecret, newSigningKey, ringText, type KeyTimes } from '../../../functions/shared/token/new-keys.ts';
import { keySetFrom, publicKeysOf } from '../../../functions/shared/token/public-keys.ts';
import { filesIn } from '../../../infra/local/data-folder.ts';
import { startKmsStandIn, type KmsStandIn } from '../../../infra/local/kms-stand-in.ts';
import { listen } from '../../../infra/local/listen.ts';
import { writeKeysFile } from '../../../infra/local/local-keys.ts';
import { startSecretsStandIn, type SecretsStandIn } from '../../../infra/local/secrets-stand-in.ts';
import { cloudFormationStandIn } from '../../support/cloudformation.ts';
import { ofThisMachine } from '../../support/machine.ts';

const KEYS_COMMAND = fileURLToPath(new URL('../../../infra/cli/keys.ts', import.meta.url));
const ARN = (name: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}`;
const NAMES = {
  signingKeys: ARN('SigningKeys'),
  refreshSecrets: ARN('RefreshSecrets'),
  peppers: ARN('Peppers'),
  publicKeys: '/public-keys',
};

const now = unixSeconds(Date.now() / 1000);
const HOUR = 3_600;
const times = (age: number) => ({ publishedAt: after(now, -age), signsFrom: after(now, -age) });
const ending = <Key extends object>(key: Key, endsAt: UnixSeconds) => ({ ...key, endsAt });

const [old, current, next] = await Promise.all([
  newSigningKey('EdDSA', times(50 * HOUR)),
  newSigningKey('ES256', times(20 * HOUR)),
  newSigningKey('ES256', { publishedAt: now, signsFrom: after(now, 3 * HOUR) }),
]);
const RING = [ending(old, after(now, HOUR)), ending(current, after(now, 28 * HOUR)), next];
const secret = newSharedSecret(times(HOUR));
const pepper = newSharedSecret(times(HOUR));

let folder: string;
let secrets: SecretsManagerOnDisk;
interface SecretsManagerOnDisk extends SecretsStandIn {
  readonly ring: () => ReturnType<typeof signingRingFrom>;
  readonly published: () => (string | undefined)[];
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-keys-'));
  secrets = await open();
  secrets.store.declareSecret(NAMES.signingKeys, 'signing', ringText(RING));
  secrets.store.declareSecret(NAMES.refreshSecrets, 'refresh', ringText([secret]));
  secrets.store.declareSecret(NAMES.peppers, 'peppers', ringText([pepper]));
  secrets.store.declareParameter(NAMES.publicKeys, JSON.stringify(publicKeysOf(RING, now)));
  writeKeysFile(folder, { ...NAMES, endpoint: 'http://127.0.0.1:9', kmsEndpoint: 'http://127.0.0.1:9' });
});
afterEach(async () => {
  await secrets.close();
  rmSync(folder, { recursive: true });
});

/** What is in the file by now. */
async function open(): Promise<SecretsManagerOnDisk> {
  const standIn = await startSecretsStandIn(filesIn(folder).secrets);
  return {
    ...standIn,
    ring: () => signingRingFrom(standIn.store.secret(NAMES.signingKeys)!.text),
    published: () => keySetFrom(standIn.store.parameter(NAMES.publicKeys)!.text).keys.map(({ kid }) => kid),
  };
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = spawn(process.execPath, [KEYS_COMMAND, ...args], {
    env: { ...ofThisMachine(), HOME: folder, LATCHKEY_DATA: folder, ...env },
  });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  child.on('error', reject).on('close', (code) => resolve({ code, ...said }));
  const ran = await promise;
  // No key, private or shared, is ever shown.
  const parts = [...RING.map(({ privateJwk }) => privateJwk.d!), ...[secret, pepper].map((one) => textOf(one.secret))];
  for (const part of parts) expect(ran.out + ran.err).not.toContain(part);
  await secrets.close();
  secrets = await open();
  return ran;
}
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

const words = (line: string) => line.trim().split(/\s{2,}/);

describe('list', () => {
  test('shows names, states and times', async () => {
    const { code, out, err } = await run(['list']);
    expect([code, err]).toEqual([0, '']);
    const iso = (time: UnixSeconds) => new Date(time * 1000).toISOString().replace('.000Z', 'Z');
    const at = iso(after(now, -HOUR));
    expect(out.trimEnd().split('\n').map(words)).toEqual([
      ['KID', 'KIND', 'ALGORITHM', 'STATE', 'PUBLISHED', 'SIGNS FROM', 'ENDS'],
      [old.kid, 'signing-keys', 'EdDSA', 'previous', iso(old.publishedAt), iso(old.signsFrom), iso(after(now, HOUR))],
      [
        current.kid,
        'signing-keys',
        'ES256',
        'current',
        iso(current.publishedAt),
        iso(current.signsFrom),
        iso(after(now, 28 * HOUR)),
      ],
      [next.kid, 'signing-keys', 'ES256', 'next', iso(now), iso(after(now, 3 * HOUR))],
      [secret.kid, 'refresh-secrets', 'HS256', 'current', at, at],
      [pepper.kid, 'peppers', 'HMAC-SHA-384', 'current', at, at],
    ]);
  });

  test('gives one line of JSON for each key', async () => {
    const { out } = await run(['list', '--json']);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ kid, state }) => [kid, state])).toEqual([
      [old.kid, 'previous'],
      [current.kid, 'current'],
      [next.kid, 'next'],
      [secret.kid, 'current'],
      [pepper.kid, 'current'],
    ]);
  });

  test('says where a key is not published, and publish puts that right', async () => {
    secrets.store.putParameter(NAMES.publicKeys, 'not made yet');
    expect(await run(['list'])).toMatchObject({
      code: 0,
      err: 'Not every signing key is published: `npm run keys -- publish` puts that right.\n',
    });
    expect(await run(['publish'])).toMatchObject({ code: 0, err: '' });
    expect(secrets.published()).toEqual(RING.map(({ kid }) => kid));
    expect((await run(['list'])).err).toBe('');
  });
});

describe('retire', () => {
  test('of the key that signs lets the one that waits sign at once, and unpublishes it', async () => {
    const { code, out } = await run(['retire', current.kid]);
    expect(code).toBe(0);
    expect(out).toContain(`${next.kid} signs`);
    const time = unixSeconds(Date.now() / 1000);
    expect(
      hasEnded(
        secrets.ring().find(({ kid }) => kid === current.kid)!,
        time,
      ),
    ).toBe(true);
    expect(keySigningAt(secrets.ring(), time).kid).toBe(next.kid);
    expect(secrets.published().toSorted()).toEqual([old.kid, next.kid].toSorted());
    expect(await run(['retire', current.kid])).toMatchObject({
      code: 1,
      err: `The key "${current.kid}" has ended already.\n`,
    });
  });

  test('of every key leaves a new one of the same algorithm, published before it signs', async () => {
    for (const { kid } of [next, current]) expect((await run(['retire', kid])).code).toBe(0);
    const made = keySigningAt(secrets.ring(), unixSeconds(Date.now() / 1000));
    expect([old.kid, current.kid, next.kid]).not.toContain(made.kid);
    expect(made.alg).toBe('ES256');
    expect(secrets.published()).toContain(made.kid);
  });

  test('of a refresh secret makes a new one, and leaves the signing keys alone', async () => {
    expect((await run(['retire', secret.kid])).code).toBe(0);
    const ring = sharedSecretsFrom(secrets.store.secret(NAMES.refreshSecrets)!.text);
    expect(ring.map(({ kid }) => kid === secret.kid)).toEqual([true, false]);
    expect(secrets.ring()).toEqual(RING);
  });

  test('of a pepper is refused: somebody could not log in', async () => {
    const { code, err } = await run(['retire', pepper.kid]);
    expect(code).toBe(1);
    expect(err).toMatch(/^A pepper is never retired: /);
  });

  test('of a name that begins with a hyphen is no option', async () => {
    expect(await run(['retire', '-bcdefghijkl'])).toMatchObject({ code: 1, err: 'There is no key "-bcdefghijkl".\n' });
  });
});

describe('keys in KMS', () => {
  /** What KMS has by now. */
  const inKms = async <Value>(look: (kms: KmsStandIn, client: KMSClient) => Value | Promise<Value>): Promise<Value> => {
    const kms = await startKmsStandIn(filesIn(folder).kms);
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = new KMSClient({ endpoint: kms.endpoint, region: 'us-east-1', credentials });
    try {
      return await look(kms, client);
    } finally {
      client.destroy();
      await kms.close();
    }
  };
  const states = () => inKms((kms) => kms.keys().map(({ id, state }) => [id, state]));
  const idOf = (key?: object) => String(key !== undefined && 'kmsKey' in key ? key.kmsKey : '').replace(/^.*\//, '');

  test('are listed as such, and retired in KMS as well: another one signs, of KMS where it was the last', async () => {
    const make = (at: KeyTimes) =>
      inKms((_kms, client) => newKmsKey(keeperInKms(NAMES.signingKeys, client), 'ES256', at));
    const [first, waiting] = [await make(times(HOUR)), await make({ publishedAt: now, signsFrom: after(now, HOUR) })];
    secrets.store.putSecret(secrets.store.secret(NAMES.signingKeys)!, ringText([first, waiting]));
    const { out } = await run(['list']);
    expect(words(out.split('\n')[1] ?? '').slice(0, 4)).toEqual([first.kid, 'signing-keys', 'ES256 KMS', 'current']);

    expect(await run(['retire', first.kid])).toMatchObject({ code: 0, err: '' });
    expect(await states()).toEqual([
      [idOf(first), 'PendingDeletion'],
      [idOf(waiting), 'Enabled'],
    ]);
    expect(await run(['retire', waiting.kid])).toMatchObject({ code: 0, err: '' });
    const heir = keySigningAt(secrets.ring(), unixSeconds(Date.now() / 1000));
    expect(await states()).toEqual([
      [idOf(first), 'PendingDeletion'],
      [idOf(waiting), 'PendingDeletion'],
      [idOf(heir), 'Enabled'],
    ]);
    expect(secrets.published()).toEqual([heir.kid]);
    expect(await inKms((kms) => kms.keys().at(-1)?.tags)).toEqual({ 'latchkey-ring': NAMES.signingKeys });
  });
});

test('rotate needs the function, which runs in `npm start` alone', async () => {
  const { code, err } = await run(['rotate']);
  expect(code).toBe(1);
  expect(err).toContain('is `npm start` running?');
});

test('a folder in which nothing was started is refused', async () => {
  const empty = join(folder, 'empty');
  expect(await run(['list'], { LATCHKEY_DATA: empty })).toMatchObject({
    code: 1,
    err: 'There is no local stack yet: run `npm start` once.\n',
  });
});

test('what is no command says so in one line', async () => {
  const cases: [string[], string][] = [
    [[], 'What is to be done?'],
    [['retire'], 'retire needs the name of a key.'],
    [['list', 'all'], 'list takes no "all".'],
    [['retire', 'a', '--json'], 'retire takes no --json.'],
    [['list', '--all'], 'One of the options is not known'],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await run(args);
    expect({ code, out, lines: err.split('\n').length }).toEqual({ code: 2, out: '', lines: 2 });
    expect(err.startsWith(message)).toBe(true);
  }
  expect((await run(['rotate', 'everything'])).err).toContain('There are no keys of the kind "everything".');
});

test('--stack works on the secrets and the parameter that the outputs of a stack name', async () => {
  const outputs = {
    SigningKeysSecret: NAMES.signingKeys,
    RefreshSecretsSecret: NAMES.refreshSecrets,
    PeppersSecret: NAMES.peppers,
    PublicKeysParameter: NAMES.publicKeys,
  };
  const stacks: Record<string, Record<string, string>> = { 'Latchkey-prod': outputs, Website: { Url: 'https://y' } };
  const cloudFormation = await listen(
    cloudFormationStandIn((name) => stacks[name]),
    { host: '127.0.0.1', port: 0 },
  );
  const remote = await startSecretsStandIn();
  const steps: string[] = [];
  remote.store.declareSecret(NAMES.signingKeys, 'signing', ringText(RING));
  remote.store.declareSecret(NAMES.refreshSecrets, 'refresh', ringText([secret]));
  remote.store.declareSecret(NAMES.peppers, 'peppers', ringText([pepper]));
  remote.store.declareParameter(NAMES.publicKeys, JSON.stringify(publicKeysOf(RING, now)));
  for (const arn of [NAMES.signingKeys, NAMES.refreshSecrets, NAMES.peppers]) {
    remote.rotateWith(arn, ({ Step, SecretId }) => Promise.resolve(steps.push(`${SecretId} ${Step}`) > 0));
  }
  const env = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: remote.endpoint,
    AWS_ENDPOINT_URL_SSM: remote.endpoint,
    // Nothing of the local store may be used.
    LATCHKEY_DATA: '/nowhere',
  };
  try {
    const { code, out } = await run(['list', '--stack', 'Latchkey-prod'], env);
    expect([code, out.split('\n').length]).toEqual([0, 7]);
    expect((await run(['retire', old.kid, '--stack', 'Latchkey-prod'], env)).code).toBe(0);
    const published = keySetFrom(remote.store.parameter(NAMES.publicKeys)!.text).keys.map(({ kid }) => kid);
    expect(published).toEqual([current.kid, next.kid]);
    expect((await run(['rotate', '--stack', 'Latchkey-prod'], env)).code).toBe(0);
    expect(steps.map((step) => step.split(' ')[0])).toEqual([
      ...Array<string>(4).fill(NAMES.signingKeys),
      ...Array<string>(4).fill(NAMES.refreshSecrets),
    ]);
    expect(await run(['list', '--stack', 'Website'], env)).toMatchObject({
      code: 1,
      err: 'The stack "Website" has no output SigningKeysSecret: is it one of Latchkey?\n',
    });
  } finally {
    await cloudFormation.close();
    await remote.close();
  }
});
