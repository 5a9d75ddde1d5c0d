import { beforeEach, describe, expect, test } from '@jest/globals';
import { makeKeys, type MakeKeysNeeds } from '../../../functions/make-keys/make-keys.ts';
import { SIGNING_ALGORITHMS } from '../../../functions/shared/domain/settings.ts';
import { after, type Seconds, type UnixSeconds } from '../../../functions/shared/domain/time.ts';
import { keySigningAt, sharedSecretsFrom, signingRingFrom } from '../../../functions/shared/token/key-ring.ts';
import { newSigningKey } from '../../../functions/shared/token/new-keys.ts';
import { keySetFrom } from '../../../functions/shared/token/public-keys.ts';
import { clockAt, START, type SetClock } from '../../support/clock.ts';
import { count } from '../../support/counts.ts';
import { interleaved, memorySecret, memoryText, OPEN, type Gates } from '../../support/kept.ts';

const LIFETIME = 900;
const PUBLICATION_SECONDS = 3 * 3_600;

let signingKeys: ReturnType<typeof memorySecret>;
let refreshSecrets: ReturnType<typeof memorySecret>;
let peppers: ReturnType<typeof memorySecret>;
let publicKeys: ReturnType<typeof memoryText>;
let clock: SetClock;

type Name = 'signingKeys' | 'refreshSecrets' | 'peppers' | 'publicKeys';

function keep(texts: Partial<Record<Name, string>> = {}): void {
  signingKeys = memorySecret('signingKeys', texts.signingKeys);
  refreshSecrets = memorySecret('refreshSecrets', texts.refreshSecrets);
  peppers = memorySecret('peppers', texts.peppers);
  publicKeys = memoryText('publicKeys', texts.publicKeys);
}

beforeEach(() => {
  clock = clockAt();
  keep();
});

const texts = () => ({
  signingKeys: signingKeys.text(),
  refreshSecrets: refreshSecrets.text(),
  peppers: peppers.text(),
  publicKeys: publicKeys.text(),
});

const needs = (changes: Partial<MakeKeysNeeds> = {}, gates: Gates = OPEN): MakeKeysNeeds => ({
  now: clock.now,
  signingKeys: signingKeys.through(gates),
  refreshSecrets: refreshSecrets.through(gates),
  peppers: peppers.through(gates),
  publicKeys: publicKeys.through(gates),
  algorithm: 'ES256',
  custody: 'secret',
  newSigningKey,
  publication: PUBLICATION_SECONDS,
  keptFor: LIFETIME,
  ...changes,
});

/** Every write fails once there were this many. */
function writesLeft(writes: number): Gates {
  let left = writes;
  const isWrite = (call: string) => /\.(put|promote|write)$/.test(call);
  return {
    ...OPEN,
    before: (call) => (!isWrite(call) || (left -= 1) >= 0 ? Promise.resolve() : Promise.reject(new Error('cut off'))),
  };
}

const ring = () => signingRingFrom(signingKeys.text());
const published = () => keySetFrom(publicKeys.text()).keys.map(({ kid }) => kid);

function expectUsable(): void {
  const signing = keySigningAt(ring(), clock.now());
  expect(published()).toContain(signing.kid);
  for (const text of [refreshSecrets.text(), peppers.text()]) {
    expect(keySigningAt(sharedSecretsFrom(text), clock.now()).secret.length).toBe(48);
  }
}

test.each(SIGNING_ALGORITHMS)('makes every ring at the first run, for %s', async (algorithm) => {
  await makeKeys(needs({ algorithm }));
  expectUsable();
  expect(ring()[0]?.alg).toBe(algorithm);
});

test.each([
  ['ES256', ['crv', 'x', 'y']],
  ['EdDSA', ['crv', 'x']],
  ['RS256', ['e', 'n']],
] as const)('publishes no private member of a key for %s', async (algorithm, members) => {
  await makeKeys(needs({ algorithm }));
  const { keys } = keySetFrom(publicKeys.text());
  expect(Object.keys(keys[0] ?? {}).toSorted()).toEqual([...members, 'alg', 'kid', 'kty', 'use'].toSorted());
  expect(publicKeys.text()).not.toMatch(/"(d|p|q|dp|dq|qi|k|oth)":/);
});

test('changes nothing at the second run', async () => {
  await makeKeys(needs());
  const before = texts();
  clock.advance(86_400);
  await makeKeys(needs());
  expect(texts()).toEqual(before);
});

test('takes a value that is no key ring for none', async () => {
  keep({
    signingKeys: 'what CloudFormation put there',
    refreshSecrets: '{"keys":[]}',
    peppers: '{}',
    publicKeys: '-',
  });
  await makeKeys(needs());
  expectUsable();
});

test('publishes the keys before it keeps them, for a key that signs and that nobody knows is an outage', async () => {
  const written: string[] = [];
  const after = (call: string) => Promise.resolve(void written.push(call));
  await makeKeys(needs({}, { ...OPEN, after }));
  expect(written.filter((call) => /^publicKeys|^signingKeys.promote/.test(call))).toEqual([
    'publicKeys.write',
    'signingKeys.promote',
  ]);
});

test('publishes a ring that is there and was not published', async () => {
  await makeKeys(needs());
  const before = signingKeys.text();
  publicKeys.set('-');
  await makeKeys(needs());
  expect(signingKeys.text()).toBe(before);
  expectUsable();
});

test.each([0, 1, 2, 3, 4, 5, 6])('cut off after %i writes, the next run makes up for it', async (writes) => {
  await expect(makeKeys(needs({}, writesLeft(writes)))).rejects.toThrow('cut off');
  await makeKeys(needs());
  expectUsable();
  expect(ring()).toHaveLength(1);
  expect(published()).toEqual(ring().map(({ kid }) => kid));
});

describe('runs at the same time', () => {
  test.each([2, 3])('(%i of them, in any order of their steps) leave one ring, published', async (runs) => {
    for (let seed = 1; seed <= count(200, 5_000); seed += 1) {
      keep();
      await interleaved(
        seed,
        Array.from({ length: runs }, () => (gates: Gates) => makeKeys(needs({}, gates))),
      );
      expectUsable();
      expect(ring()).toHaveLength(1);
      expect({ seed, published: published() }).toEqual({ seed, published: ring().map(({ kid }) => kid) });
    }
  });
});

describe('a changed algorithm', () => {
  const kidAt = (time: UnixSeconds) => keySigningAt(ring(), time).kid;
  const inSeconds = (seconds: Seconds) => after(START, seconds);

  test('makes a key that is published at once and signs three hours later; the old one ends after its last token', async () => {
    await makeKeys(needs());
    const old = ring()[0]!;
    await makeKeys(needs({ algorithm: 'EdDSA' }));
    const made = ring()[1]!;
    expect(published()).toEqual([old.kid, made.kid]);
    expect(made).toMatchObject({ alg: 'EdDSA', publishedAt: START, signsFrom: START + 3 * 3_600 });
    expect(kidAt(inSeconds(PUBLICATION_SECONDS - 1))).toBe(old.kid);
    expect(kidAt(inSeconds(PUBLICATION_SECONDS))).toBe(made.kid);
    expect(ring()[0]).toEqual({ ...old, endsAt: START + PUBLICATION_SECONDS + LIFETIME });
    expect(made.endsAt).toBeUndefined();

    clock.set(inSeconds(PUBLICATION_SECONDS + LIFETIME - 1));
    await makeKeys(needs({ algorithm: 'EdDSA' }));
    expect(published()).toEqual([old.kid, made.kid]);
    clock.advance(1);
    await makeKeys(needs({ algorithm: 'EdDSA' }));
    expect(published()).toEqual([made.kid]);
  });

  test('is made up for once, however often the deployment runs again', async () => {
    await makeKeys(needs());
    await makeKeys(needs({ algorithm: 'EdDSA' }));
    const before = texts();
    clock.advance(60);
    await makeKeys(needs({ algorithm: 'EdDSA' }));
    expect(texts()).toEqual(before);
  });

  test.each([0, 1, 2, 3])(
    'cut off after %i writes, is made up for by the next run, and no token is lost',
    async (writes) => {
      await makeKeys(needs());
      const old = ring()[0]!;
      await makeKeys(needs({ algorithm: 'EdDSA' }, writesLeft(writes))).catch(() => undefined);
      expectUsable();
      expect(published()).toContain(old.kid);
      await makeKeys(needs({ algorithm: 'EdDSA' }));
      expect(ring().map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA']);
      expect(published()).toEqual(ring().map(({ kid }) => kid));
    },
  );

  test('that is changed back leaves every key with an end but the last one', async () => {
    await makeKeys(needs());
    clock.set(inSeconds(60));
    await makeKeys(needs({ algorithm: 'EdDSA' }));
    clock.set(inSeconds(120));
    await makeKeys(needs());
    const [first, second, third] = ring();
    const at = PUBLICATION_SECONDS;
    expect([first, second, third].map((key) => key?.signsFrom)).toEqual([START, START + 60 + at, START + 120 + at]);
    // Each ends when the last token it signed has ended, the first one when the second takes over.
    expect([first, second, third].map((key) => key?.endsAt)).toEqual([
      START + 60 + at + LIFETIME,
      START + 120 + at + LIFETIME,
      undefined,
    ]);
    for (const time of [0, 60 + at - 1, 60 + at, 120 + at - 1, 120 + at, 10 * at].map(inSeconds)) {
      expect(published()).toContain(kidAt(time));
    }
    clock.set(inSeconds(120 + at + LIFETIME));
    await makeKeys(needs());
    expect(published()).toEqual([third?.kid]);
  });
});

test('passes a failure of the store on instead of taking it for an empty one', async () => {
  const broken = peppers.through({ ...OPEN, before: () => Promise.reject(new Error('out of reach')) });
  await expect(makeKeys(needs({ peppers: broken }))).rejects.toThrow('out of reach');
  expect(peppers.text()).toBe('');
});
