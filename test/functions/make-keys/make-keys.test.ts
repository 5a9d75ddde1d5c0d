import { beforeEach, expect, test } from '@jest/globals';
import {
  makeKeys,
  PUBLICATION_SECONDS,
  type Kept,
  type MakeKeysNeeds,
} from '../../../functions/make-keys/make-keys.ts';
import { SIGNING_ALGORITHMS } from '../../../functions/shared/domain/settings.ts';
import { after } from '../../../functions/shared/domain/time.ts';
import { keySigningAt, sharedSecretsFrom, signingRingFrom } from '../../../functions/shared/token/key-ring.ts';
import { keySetFrom } from '../../../functions/shared/token/public-keys.ts';
import { clockAt, START, type SetClock } from '../../support/clock.ts';

const LIFETIME = 900;

type Name = 'signingKeys' | 'refreshSecrets' | 'peppers' | 'publicKeys';

let texts: Partial<Record<Name, string>>;
let clock: SetClock;
/** Every write fails once there were this many. */
let writesLeft: number;

beforeEach(() => {
  texts = {};
  clock = clockAt();
  writesLeft = Infinity;
});

const kept = (name: Name): Kept => ({
  read: () => Promise.resolve(texts[name]),
  write: (text) => {
    if (writesLeft <= 0) return Promise.reject(new Error('cut off'));
    writesLeft -= 1;
    texts[name] = text;
    return Promise.resolve();
  },
});

const needs = (changes: Partial<MakeKeysNeeds> = {}): MakeKeysNeeds => ({
  now: clock.now,
  signingKeys: kept('signingKeys'),
  refreshSecrets: kept('refreshSecrets'),
  peppers: kept('peppers'),
  publicKeys: kept('publicKeys'),
  algorithm: 'ES256',
  tokenLifetime: LIFETIME,
  ...changes,
});

const ring = () => signingRingFrom(texts.signingKeys ?? '');
const published = () => keySetFrom(texts.publicKeys ?? '').keys.map(({ kid }) => kid);

function expectUsable(): void {
  const signing = keySigningAt(ring(), clock.now());
  expect(published()).toContain(signing.kid);
  for (const text of [texts.refreshSecrets, texts.peppers]) {
    expect(keySigningAt(sharedSecretsFrom(text ?? ''), clock.now()).secret.length).toBe(48);
  }
}

test.each(SIGNING_ALGORITHMS)('makes every ring at the first run, for %s', async (algorithm) => {
  await makeKeys(needs({ algorithm }));
  expectUsable();
  expect(ring()[0]?.alg).toBe(algorithm);
});

test('publishes no private member of a key', async () => {
  await makeKeys(needs());
  const { keys } = keySetFrom(texts.publicKeys ?? '');
  expect(Object.keys(keys[0] ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

test('changes nothing at the second run', async () => {
  await makeKeys(needs());
  const before = { ...texts };
  clock.advance(86_400);
  await makeKeys(needs());
  expect(texts).toEqual(before);
});

test('takes a value that is no key ring for none', async () => {
  texts = {
    signingKeys: 'what CloudFormation put there',
    refreshSecrets: '{"keys":[]}',
    peppers: '{}',
    publicKeys: '-',
  };
  await makeKeys(needs());
  expectUsable();
});

test.each([0, 1, 2, 3])('cut off after %i writes, the next run makes up for it', async (writes) => {
  writesLeft = writes;
  await expect(makeKeys(needs())).rejects.toThrow('cut off');
  writesLeft = Infinity;
  await makeKeys(needs());
  expectUsable();
  expect(ring()).toHaveLength(1);
  expect(published()).toEqual(ring().map(({ kid }) => kid));
});

test('two runs at once leave one ring, published', async () => {
  await Promise.all([makeKeys(needs()), makeKeys(needs())]);
  expectUsable();
});

test('a changed algorithm makes a key that is published at once, signs three hours later, and ends the old one after its last token', async () => {
  await makeKeys(needs());
  const old = ring()[0];
  await makeKeys(needs({ algorithm: 'EdDSA' }));
  const made = ring()[1];
  expect(published()).toEqual([old?.kid, made?.kid]);
  const signsFrom = after(START, PUBLICATION_SECONDS);
  expect(keySigningAt(ring(), after(signsFrom, -1)).kid).toBe(old?.kid);
  expect(keySigningAt(ring(), signsFrom).kid).toBe(made?.kid);
  expect(ring()[0]?.endsAt).toBe(after(signsFrom, LIFETIME));

  clock.set(after(signsFrom, LIFETIME));
  await makeKeys(needs({ algorithm: 'EdDSA' }));
  expect(published()).toEqual([made?.kid]);
});

test('passes a failure of the store on instead of taking it for an empty one', async () => {
  const broken: Kept = { ...kept('peppers'), read: () => Promise.reject(new Error('out of reach')) };
  await expect(makeKeys(needs({ peppers: broken }))).rejects.toThrow('out of reach');
  expect(texts.peppers).toBeUndefined();
});
