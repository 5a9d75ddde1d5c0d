import { beforeEach, describe, expect, test } from '@jest/globals';
import { after } from '../../../../functions/shared/domain/time.ts';
import { proveKeys } from '../../../../functions/shared/token/key-proof.ts';
import type { SigningKey } from '../../../../functions/shared/token/key-ring.ts';
import { newKmsKey, removeUnneeded, tidyBefore, type TidyNeeds } from '../../../../functions/shared/token/kms-keys.ts';
import { newKeysFor } from '../../../../functions/shared/token/new-keys-for.ts';
import { newSigningKey, ringText } from '../../../../functions/shared/token/new-keys.ts';
import { publicKeysOf } from '../../../../functions/shared/token/public-keys.ts';
import { clockAt, START, type SetClock } from '../../../support/clock.ts';
import { memorySecret, OPEN, type MemorySecret } from '../../../support/kept.ts';
import { memoryKms, type MemoryKms } from '../../../support/kms.ts';

const PUBLICATION = 3 * 3_600;
const times = { publishedAt: START, signsFrom: START };

let clock: SetClock;
let kms: MemoryKms;
let signingKeys: MemorySecret;
let warnings: string[];
beforeEach(() => {
  clock = clockAt();
  kms = memoryKms(clock.now);
  signingKeys = memorySecret('signingKeys');
  warnings = [];
});

const keeper = () => kms.through(OPEN);
const key = () => newKmsKey(keeper(), 'ES256', times);
const hold = (...ring: readonly SigningKey[]) => (signingKeys = memorySecret('signingKeys', ringText(ring)));
const needs = (changes: Partial<TidyNeeds> = {}): TidyNeeds => ({
  now: clock.now,
  keeper: keeper(),
  signingKeys: signingKeys.through(OPEN),
  publication: PUBLICATION,
  warn: (event) => void warnings.push(event),
  ...changes,
});

describe('of the keys in KMS', () => {
  test('those stay that sign, that wait, and that verify what they signed; one that ended goes', async () => {
    const [ended, previous, current, next] = await Promise.all([key(), key(), key(), key()]);
    const end = (seconds: number) => ({ endsAt: after(START, PUBLICATION + seconds) });
    hold({ ...ended, ...end(1) }, { ...previous, ...end(2) }, current, {
      ...next,
      signsFrom: after(START, 10 * PUBLICATION),
    });
    clock.advance(PUBLICATION + 1);
    await removeUnneeded(needs());
    expect(kms.usable()).toEqual([previous, current, next].map(({ kmsKey }) => kmsKey).toSorted());
  });

  test('one of the ring that may become current stays, also where that ring has just become it', async () => {
    const [current, next] = [await key(), await key()];
    hold(current);
    signingKeys.begin('rotation');
    await signingKeys.through(OPEN).putPending('rotation', ringText([current, next]));
    clock.advance(PUBLICATION + 1);
    await removeUnneeded(needs());
    expect(kms.usable()).toHaveLength(2);
    // Whatever happens between its two reads.
    for (const at of ['pendingText', 'current']) {
      hold(current);
      signingKeys.begin('rotation');
      await signingKeys.through(OPEN).putPending('rotation', ringText([current, next]));
      const before = async (call: string) => {
        if (call === `signingKeys.${at}`) await signingKeys.through(OPEN).promote('rotation', 'first');
        if (call === `signingKeys.${at}`) signingKeys.begin('the next one');
      };
      await removeUnneeded(needs({ signingKeys: signingKeys.through({ ...OPEN, before }) }));
      expect([at, kms.usable()]).toEqual([at, [current.kmsKey, next.kmsKey]]);
    }
  });

  test('one that no ring has goes when it is older than any run that could still put it there', async () => {
    hold(await newSigningKey('ES256', times));
    await key();
    clock.advance(PUBLICATION);
    await removeUnneeded(needs());
    expect(kms.usable()).toHaveLength(1);
    clock.advance(1);
    await removeUnneeded(needs());
    expect(kms.usable()).toEqual([]);
  });

  test('none younger than an hour goes, however short keys are published', async () => {
    hold(await newSigningKey('ES256', times));
    await key();
    clock.advance(3_600);
    await removeUnneeded(needs({ publication: 6 }));
    expect(kms.usable()).toHaveLength(1);
    clock.advance(1);
    await removeUnneeded(needs({ publication: 6 }));
    expect(kms.usable()).toEqual([]);
  });

  test('those of runs that were cut off go before the next one is made', async () => {
    hold(await key());
    const make = tidyBefore((alg, at) => newKmsKey(keeper(), alg, at), needs());
    for (let run = 1; run <= 100; run += 1) {
      // It makes a key, and is cut off.
      await make('ES256', times);
      clock.advance(1_800);
    }
    expect(kms.all()).toHaveLength(101);
    expect(kms.usable().length).toBeLessThanOrEqual(2 + PUBLICATION / 1_800);
    expect(warnings).toEqual([]);
  });

  test('no failure to look after the old ones keeps a new one from being made', async () => {
    const broken = { ...keeper(), ours: () => Promise.reject(new Error('out of reach')) };
    const make = tidyBefore((alg, at) => newKmsKey(keeper(), alg, at), needs({ keeper: broken }));
    await expect(make('ES256', times)).resolves.toMatchObject({ alg: 'ES256' });
    expect(warnings).toEqual(['kms-keys-not-tidied']);
  });
});

describe('new keys', () => {
  test.each([
    ['secret', 'privateJwk'],
    ['kms', 'kmsKey'],
    ['secret-after-kms', 'privateJwk'],
  ] as const)('of signing=%s have a %s', async (custody, member) => {
    expect(await newKeysFor(custody, needs())('ES256', times)).toHaveProperty(member);
  });

  test('on the way back from KMS let go of what is there', async () => {
    hold({ ...(await key()), endsAt: after(START, 1) }, await newSigningKey('ES256', times));
    clock.advance(PUBLICATION + 1);
    await newKeysFor('secret-after-kms', needs())('ES256', times);
    expect(kms.usable()).toEqual([]);
  });

  test('are none where the bundle has no KMS and the setting asks for it', () => {
    const without = { ...needs(), keeper: undefined };
    for (const custody of ['kms', 'secret-after-kms'] as const) {
      expect(() => newKeysFor(custody, without)).toThrow(`not one for signing=${custody}`);
    }
    expect(newKeysFor('secret', without)).toBe(newSigningKey);
  });
});

describe('a proof of keys in KMS', () => {
  const publishedOf = (...keys: readonly SigningKey[]) => JSON.stringify(publicKeysOf(keys, START));

  test('holds where what KMS says is what is published', async () => {
    const [one, other] = [await key(), await newSigningKey('ES256', times)];
    await expect(proveKeys([one, other], publishedOf(one, other), keeper())).resolves.toBeUndefined();
  });

  test('fails where the set lacks the key, has another one under its name, or KMS has', async () => {
    const [one, other] = [await key(), await key()];
    await expect(proveKeys([one], publishedOf(other), keeper())).rejects.toThrow('another key under its name');
    const renamed = publishedOf({ ...one, publicJwk: other.publicJwk });
    await expect(proveKeys([one], renamed, keeper())).rejects.toThrow('another key under its name');
    const exchanged = { ...one, kmsKey: other.kmsKey };
    await expect(proveKeys([exchanged], publishedOf(one), keeper())).rejects.toThrow('another key under its name');
  });

  test('fails where there is nobody to ask', async () => {
    const one = await key();
    await expect(proveKeys([one], publishedOf(one))).rejects.toThrow('nobody to ask');
  });
});
