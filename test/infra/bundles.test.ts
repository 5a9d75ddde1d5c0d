import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SETTINGS, type SigningCustody } from '../../functions/shared/domain/settings.ts';
import { ENDPOINTS, UNROUTED } from '../../infra/endpoints.ts';
import { BUNDLE_FILE, PROJECT_ROOT, bundle } from '../../infra/bundling/options.ts';
import { membersOf, synthesize, synthesizeIn, templateIn, type Synthesis } from '../support/template.ts';

const NAMES = Object.keys({ ...ENDPOINTS, ...UNROUTED }).toSorted();
/** Logical name of a function: `MakeKeys` for `make-keys`. */
const idOf = (name: string) => name.replace(/(?:^|-)([a-z])/g, (_dash, letter: string) => letter.toUpperCase());

interface Bundle {
  readonly bytes: Buffer;
  /** What is left of each input after pruning, by path. */
  readonly inputs: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), 'latchkey-bundles-'));
const bundles = new Map<string, Bundle>();
const made = new Map<string, Bundle>();
const assemblies: Synthesis[] = [];
/** The first of them again, made anew in another folder. */
let elsewhere: Synthesis;

beforeAll(() => {
  for (const name of NAMES) bundles.set(name, bundled(name));
  // With every function there is.
  const everything = { mailFrom: 'auth@example.com', demoPage: 'on' };
  for (const env of ['dev', 'local']) {
    const synthesis = synthesize({ env, ...everything }, true);
    expect(synthesis).toMatchObject({ status: 0 });
    assemblies.push(synthesis);
  }
  const place = mkdtempSync(join(folder, 'another-place-with-a-longer-name-'));
  elsewhere = synthesizeIn(place, { env: 'dev', ...everything }, true);
});
afterAll(() => {
  for (const one of [folder, ...assemblies.map((assembly) => assembly.folder)]) rmSync(one, { recursive: true });
});

/** Each is made once. */
function bundled(name: string, signing: SigningCustody = 'secret'): Bundle {
  const key = `${name} ${signing}`;
  const bundle = made.get(key) ?? newlyBundled(name, signing);
  made.set(key, bundle);
  return bundle;
}

function newlyBundled(name: string, signing: SigningCustody): Bundle {
  const at = join(folder, signing === 'secret' ? name : `${name} ${signing}`);
  const [output] = Object.values(bundle(name, at, signing).outputs);
  const inputs = Object.entries(output!.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { bytes: readFileSync(join(at, BUNDLE_FILE)), inputs: inputs.map(([path]) => path) };
}

/** In bytes, minified. login carries no Secrets Manager client: its keys come through the extension. */
const BUDGETS: Readonly<Record<string, number>> = {
  authorizer: 25_000,
  fallback: 15_000,
  jwks: 15_000,
  openapi: 80_000,
  // The viewer in front of the reference, as its makers ship it.
  docs: 2_200_000,
  // The page with its script and style is two thirds of it.
  demo: 45_000,
  profile: 210_000,
  // The names of browsers and systems, for the list of devices, are 30 kB of it.
  devices: 250_000,
  blacklist: 225_000,
  verify: 230_000,
  refresh: 240_000,
  login: 260_000,
  // The common passwords are 34 kB of each.
  password: 300_000,
  register: 355_000,
  // The mail client is 62 kB of these, most of it the shapes of operations that are never called.
  account: 320_000,
  'reset-password': 285_000,
  'confirm-reset': 355_000,
  'verify-email': 210_000,
  'make-keys': 270_000,
  'rotate-keys': 275_000,
};

test.each(NAMES)('%s stays within its budget', (name) => {
  expect(bundles.get(name)!.bytes.length).toBeLessThanOrEqual(BUDGETS[name]!);
});

describe('with keys in KMS', () => {
  const inKms = (name: string): Bundle => bundled(name, 'kms');

  test('those who sign or make keys carry its client, 29 to 32 kB more each, and those who sign none of what makes keys', () => {
    const withClient = NAMES.filter((name) => packagesOf(inKms(name)).includes('@aws-sdk/client-kms'));
    expect(withClient).toEqual(['login', 'make-keys', 'password', 'refresh', 'rotate-keys']);
    for (const name of withClient) {
      const more = inKms(name).bytes.length - bundles.get(name)!.bytes.length;
      // Of which 27 kB are the client; the rest of it, those of the tables and secrets have brought along.
      expect([name, more > 20_000 && more < (name.endsWith('keys') ? 34_000 : 31_000)]).toEqual([name, true]);
    }
    const makers = (name: string) => inKms(name).inputs.filter((path) => /kms-keeper|kms-keys/.test(path));
    for (const name of ['login', 'password', 'refresh']) expect([name, makers(name)]).toEqual([name, []]);
  });

  test('every other bundle is the same, byte for byte', () => {
    for (const name of NAMES.filter((one) => !packagesOf(inKms(one)).includes('@aws-sdk/client-kms'))) {
      expect([name, digestOf(inKms(name).bytes)]).toEqual([name, digestOf(bundles.get(name)!.bytes)]);
    }
  });
});

test('in the secret alone nobody carries a byte of its client, and nothing of ours that calls it', () => {
  const ofKms = /client-kms|runtime\/kms-/;
  for (const [name, { inputs, bytes }] of bundles) {
    expect([name, inputs.filter((path) => ofKms.test(path))]).toEqual([name, []]);
    expect([name, bytes.includes('TrentService') || bytes.includes('KMS_ENDPOINT')]).toEqual([name, false]);
  }
});

test('the authorizer carries jose and nothing else', () => {
  expect(packagesIn('authorizer')).toEqual(['jose']);
});

test('fallback, the key set, the description and the pages carry no package at all', () => {
  expect(packagesIn('fallback')).toEqual([]);
  expect(packagesIn('jwks')).toEqual([]);
  expect(packagesIn('openapi')).toEqual([]);
  // The viewer is a text to it, never run.
  expect(packagesIn('docs')).toEqual([]);
  expect(packagesIn('demo')).toEqual([]);
});

test('only those who ask for a password or set one carry the hash library, and only functions that read tokens carry jose', () => {
  expect(NAMES.filter((name) => packagesIn(name).includes('bcryptjs'))).toEqual([
    'account',
    'confirm-reset',
    'login',
    'password',
    'register',
  ]);
  const withJose = ['authorizer', 'blacklist', 'login', 'make-keys', 'password', 'refresh', 'rotate-keys', 'verify'];
  expect(NAMES.filter((name) => packagesIn(name).includes('jose'))).toEqual(withJose);
});

test('only functions that send mails carry the client for it', () => {
  const withMails = NAMES.filter((name) => packagesIn(name).includes('@aws-sdk/client-sesv2'));
  expect(withMails).toEqual(['account', 'confirm-reset', 'register', 'reset-password']);
});

test('only those who make keys carry the clients that write secrets and parameters', () => {
  for (const client of ['@aws-sdk/client-secrets-manager', '@aws-sdk/client-ssm']) {
    expect(NAMES.filter((name) => packagesIn(name).includes(client))).toEqual(['make-keys', 'rotate-keys']);
  }
});

test.each(NAMES)('%s leaves out what calls to AWS from Lambda never use', (name) => {
  const unused =
    /credential-provider|nested-clients|token-providers|endpoint-discovery\/|endpoint-cache|event-streams\/|xml-builder|signature-v4-multi-region|\/cbor\//;
  expect(bundles.get(name)!.inputs.filter((path) => path.includes('node_modules') && unused.test(path))).toEqual([]);
});

test.each(NAMES)('%s has no source map and no path of this machine', (name) => {
  expect(readdirSync(join(folder, name))).toEqual([BUNDLE_FILE]);
  const text = bundles.get(name)!.bytes.toString('utf8');
  expect(text).not.toContain('sourceMappingURL');
  expect(text).not.toContain(PROJECT_ROOT);
});

test.each(NAMES)('%s is deployed as it is tested, and the same in every environment', (name) => {
  const [inDev, inLocal] = ['dev', 'local'].map((env, index) => {
    const { folder: assembly } = assemblies[index]!;
    const { S3Key } = membersOf(templateIn(assembly, env).at(idOf(name))['Code']);
    const asset = join(assembly, `asset.${String(S3Key).replace(/\.zip$/, '')}`);
    expect(readdirSync(asset)).toEqual([BUNDLE_FILE]);
    return { key: S3Key, digest: digestOf(readFileSync(join(asset, BUNDLE_FILE))) };
  });
  expect(inDev!.digest).toBe(digestOf(bundles.get(name)!.bytes));
  expect(inLocal).toEqual(inDev);
});

test('the same sources give the same template in every folder, so that a diff shows changes and nothing else', () => {
  const [inDev] = assemblies;
  expect(templateIn(elsewhere.folder, 'dev').text).toBe(templateIn(inDev!.folder, 'dev').text);
});

/** Set by Lambda itself. */
const GIVEN = ['AWS_SESSION_TOKEN'];
/** Read by the extension, not by us. */
const OF_EXTENSION = /^(PARAMETERS_SECRETS_EXTENSION|SECRETS_MANAGER|SSM_PARAMETER_STORE)_.*(LEVEL|SIZE|TTL|MILLIS)$/;

test.each(NAMES)('%s is given exactly the variables that its code reads', (name) => {
  // In env=local, which declares the endpoints and more. A setting that is missing would silently have its default.
  const template = templateIn(assemblies[1]!.folder, 'local');
  const { Environment } = template.at(idOf(name));
  const declared = Object.keys(membersOf(membersOf(Environment)['Variables']));
  expect(declared.toSorted()).toEqual(variablesReadBy(name));

  const deployed = templateIn(assemblies[0]!.folder, 'dev').at(idOf(name))['Environment'];
  const inDev = Object.keys(membersOf(membersOf(deployed)['Variables'])).filter((one) => !OF_EXTENSION.test(one));
  const localOnly = /_ENDPOINT$|^(JWKS_URL|PATIENCE)$/;
  expect(inDev.toSorted()).toEqual(variablesReadBy(name).filter((one) => !localOnly.test(one)));
});

const READS = /\b(readEnv|optionalEnv|connection|readSettings)\(([^)]*)\)/g;

/** The names in calls of what reads the environment, in everything of ours that is in the bundle. */
function variablesReadBy(name: string): string[] {
  const ours = bundles.get(name)!.inputs.filter((path) => path.startsWith('functions/'));
  const calls = ours.flatMap((path) => [...readFileSync(join(PROJECT_ROOT, path), 'utf8').matchAll(READS)]);
  const names = calls.flatMap(([, reader, args]) =>
    [...(args ?? '').matchAll(/'(\w+)'/g)].map(([, one]) => (reader === 'readSettings' ? variableOf(one!) : one!)),
  );
  return [...new Set(names)].filter((one) => !GIVEN.includes(one)).toSorted();
}

function variableOf(setting: string): string {
  const found = Object.entries(SETTINGS).find(([name]) => name === setting);
  if (found === undefined) throw new Error(`${setting} is no setting.`);
  return found[1].env;
}

const packagesIn = (name: string): string[] => packagesOf(bundles.get(name)!);

/** Packages with at least one byte in a bundle. */
function packagesOf({ inputs }: Bundle): string[] {
  const found = inputs.flatMap((path) => {
    const at = path.lastIndexOf('node_modules/');
    if (at < 0) return [];
    const [first, second] = path.slice(at + 'node_modules/'.length).split('/');
    return [first!.startsWith('@') ? `${first!}/${second!}` : first!];
  });
  return [...new Set(found)].toSorted();
}

const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
