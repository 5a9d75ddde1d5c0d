/** The rotation of a ring whose keys are in KMS, and the way there and back. What a rotation is at all: rotate-keys.test.ts. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { DeploymentRefused, makeKeys, type MakeKeysNeeds } from '../../../functions/make-keys/make-keys.ts';
import { rotateKeys, type RingNeeds, type StepName } from '../../../functions/rotate-keys/rotate-keys.ts';
import type { SigningCustody } from '../../../functions/shared/domain/settings.ts';
import { after, type Seconds } from '../../../functions/shared/domain/time.ts';
import { proveKeys } from '../../../functions/shared/token/key-proof.ts';
import { isInKms, keySigningAt, signingRingFrom, type SigningKey } from '../../../functions/shared/token/key-ring.ts';
import { newKmsKey } from '../../../functions/shared/token/kms-keys.ts';
import { newKeysFor } from '../../../functions/shared/token/new-keys-for.ts';
import { newSharedSecret, newSigningKey, ringText } from '../../../functions/shared/token/new-keys.ts';
import { keySetFrom, publicKeysOf } from '../../../functions/shared/token/public-keys.ts';
import { publish, publishCurrent } from '../../../functions/shared/token/publication.ts';
import { withKeyRetired } from '../../../functions/shared/token/ring-changes.ts';
import { clockAt, START, type SetClock } from '../../support/clock.ts';
import { count } from '../../support/counts.ts';
import { cutOff, interleaved, memorySecret, memoryText, OPEN, type Gates } from '../../support/kept.ts';
import { memoryKms, type MemoryKms } from '../../support/kms.ts';

const PUBLICATION = 3 * 3_600;
const KEPT = 86_400 + 900;
const STEPS: readonly StepName[] = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];
const BEGINNING = { publishedAt: START, signsFrom: START };

let clock: SetClock;
let kms: MemoryKms;
let signingKeys: ReturnType<typeof memorySecret>;
let publicKeys: ReturnType<typeof memoryText>;
let rotations: number;
let warnings: string[];

async function reset(first: SigningCustody = 'kms'): Promise<void> {
  clock = clockAt();
  kms = memoryKms(clock.now);
  rotations = 0;
  warnings = [];
  const key = await (first === 'kms'
    ? newKmsKey(kms.through(OPEN), 'ES256', BEGINNING)
    : newSigningKey('ES256', BEGINNING));
  clock.advance(1_000);
  signingKeys = memorySecret('signingKeys', ringText([key]));
  publicKeys = memoryText('publicKeys', JSON.stringify(publicKeysOf([key], clock.now())));
}
beforeEach(() => reset());

const newKeys = (custody: SigningCustody, gates: Gates) =>
  newKeysFor(custody, {
    now: clock.now,
    keeper: kms.through(gates),
    signingKeys: signingKeys.through(gates),
    publication: PUBLICATION,
    warn: (event) => void warnings.push(event),
  });

function needs(gates: Gates = OPEN, custody: SigningCustody = 'kms'): RingNeeds<SigningKey> {
  const kept = { now: clock.now, publicKeys: publicKeys.through(gates), signingKeys: signingKeys.through(gates) };
  return {
    now: clock.now,
    secret: signingKeys.through(gates),
    read: signingRingFrom,
    newKey: (times) => newKeys(custody, gates)('ES256', times),
    publication: PUBLICATION,
    keptFor: KEPT,
    publish: (ring) => publish(ring, kept),
    prove: async (ring) => proveKeys(ring, (await kept.publicKeys.read()) ?? '', kms.through(gates)),
    settle: () => publishCurrent(kept),
  };
}

const ring = () => signingRingFrom(signingKeys.text());
const published = () => keySetFrom(publicKeys.text()).keys.map(({ kid }) => kid);

function token(): string {
  const pending = signingKeys.pendingId();
  if (pending !== undefined) return pending;
  rotations += 1;
  signingKeys.begin(`rotation-${rotations}`);
  return `rotation-${rotations}`;
}

async function rotate(gates: Gates = OPEN, version = token(), custody: SigningCustody = 'kms'): Promise<void> {
  for (const step of STEPS) await rotateKeys(step, version, needs(gates, custody));
}

/** At this moment and every later one exactly one key signs, it can, and everybody knows the one that signs now. */
function expectUsable(): void {
  const keys = ring();
  const moments = keys.flatMap(({ signsFrom, endsAt }) => [signsFrom, endsAt ?? signsFrom]);
  for (const moment of [clock.now(), ...moments].filter((one) => one >= clock.now())) {
    const signing = keySigningAt(keys, moment);
    expect(keys.filter(({ signsFrom }) => signsFrom === signing.signsFrom)).toHaveLength(1);
    if (isInKms(signing)) expect(kms.usable()).toContain(signing.kmsKey);
  }
  expect(published()).toContain(keySigningAt(keys, clock.now()).kid);
}

function expectRotated(): void {
  expectUsable();
  const [old, made, ...more] = ring();
  expect(more).toEqual([]);
  expect(made!.signsFrom - made!.publishedAt).toBe(PUBLICATION);
  expect(old!.endsAt).toBe(made!.signsFrom + KEPT);
  expect(published().toSorted()).toEqual([old!.kid, made!.kid].toSorted());
  expect(ring().every(isInKms)).toBe(true);
}

describe('a rotation', () => {
  test('publishes a new key of KMS that signs three hours later; nothing private is in the ring', async () => {
    await rotate();
    expectRotated();
    expect(signingKeys.text()).not.toMatch(/"(d|privateJwk)":/);
    expect(warnings).toEqual([]);
  });

  test('of a year leaves two or three keys that KMS charges for, and each ended one is on its way out', async () => {
    for (let month = 1; month <= 12; month += 1) {
      await rotate();
      expectUsable();
      expect(kms.usable().length).toBeLessThanOrEqual(3);
      clock.advance(30 * 86_400);
      expectUsable();
    }
    expect(kms.all()).toHaveLength(13);
  });

  test('fails its test where KMS does not have what is published', async () => {
    const version = token();
    await rotateKeys('createSecret', version, needs());
    await rotateKeys('setSecret', version, needs());
    const other = await newKmsKey(kms.through(OPEN), 'ES256', BEGINNING);
    const { keys } = keySetFrom(publicKeys.text());
    publicKeys.set(JSON.stringify({ keys: keys.map((key) => ({ ...key, ...other.publicJwk })) }));
    await expect(rotateKeys('testSecret', version, needs())).rejects.toThrow('another key under its name');
  });
});

describe('every step', () => {
  test('may be done twice, and again after all the others: no second key is made', async () => {
    const version = token();
    for (const step of STEPS) {
      for (let time = 1; time <= 2; time += 1) await rotateKeys(step, version, needs());
      expectUsable();
    }
    for (const step of [...STEPS, ...STEPS.toReversed()]) await rotateKeys(step, version, needs());
    expectRotated();
    expect(kms.all()).toHaveLength(2);
  });

  test.each(['before', 'after'] as const)(
    'may be cut off %s any of its calls, of KMS too; a later run finishes, and the one after that leaves no key over',
    async (when) => {
      let calls = Infinity;
      for (let at = 1; at <= calls; at += 1) {
        await reset();
        const gates = cutOff(at, when);
        await rotate(gates).then(
          () => (calls = at - 1),
          () => undefined,
        );
        expectUsable();
        const version = signingKeys.currentId()?.startsWith('rotation') ? signingKeys.currentId() : undefined;
        await rotate(OPEN, version ?? token());
        expectRotated();
        expect(kms.usable().length).toBeLessThanOrEqual(3);
        clock.advance(30 * 86_400);
        await rotate();
        expectUsable();
        expect([at, kms.usable().length]).toEqual([at, 2]);
      }
      expect(calls).toBeGreaterThan(when === 'before' ? 20 : 3);
    },
  );

  test('that is cut off again and again, for days, leaves no more keys than a few hours of it', async () => {
    const version = token();
    for (let run = 1; run <= 200; run += 1) {
      let isMade = false;
      const gates: Gates = {
        // Once a key is made nothing works any more.
        before: () => (isMade ? Promise.reject(new Error('cut off')) : Promise.resolve()),
        after: (call) => Promise.resolve(void (isMade ||= call === 'kms.make')),
      };
      await expect(rotateKeys('createSecret', version, needs(gates))).rejects.toThrow('cut off');
      clock.advance(900);
    }
    expect(kms.all()).toHaveLength(201);
    expect(kms.usable().length).toBeLessThanOrEqual(2 + PUBLICATION / 900);
    await rotate(OPEN, version);
    expectRotated();
  });

  test('may run at the same time as itself and as any other, in any order of the calls', async () => {
    for (let seed = 1; seed <= count(40, 800); seed += 1) {
      await reset();
      const version = token();
      const acts = [(gates: Gates) => rotate(gates, version), (gates: Gates) => rotate(gates, version)];
      await interleaved(seed, acts, expectUsable);
      await rotate(OPEN, version).catch(() => rotate());
      expectRotated();
    }
  });

  test('may run while a key is retired and KMS lets go of it: what signs afterwards can', async () => {
    for (let seed = 1; seed <= count(40, 800); seed += 1) {
      await reset();
      const version = token();
      const [first] = ring();
      const retire = async (gates: Gates): Promise<void> => {
        const secret = signingKeys.through(gates);
        const keeper = kms.through(gates);
        for (;;) {
          const found = await secret.current();
          const make = (times: typeof BEGINNING) => newKmsKey(keeper, 'ES256', times);
          const keys = await withKeyRetired(signingRingFrom(found!.text), first!.kid, clock.now(), make);
          if (keys === undefined) return;
          await publish(keys, { now: clock.now, publicKeys: publicKeys.through(gates) });
          if (await secret.replace(ringText(keys), found)) break;
        }
        await publishCurrent({ now: clock.now, publicKeys: publicKeys.through(gates), signingKeys: secret });
        if (isInKms(first!)) await keeper.remove(first.kmsKey);
      };
      await interleaved(seed, [(gates) => rotate(gates, version), retire]);
      expectUsable();
      expect(published()).not.toContain(first!.kid);
    }
  });
});

describe('a deployment', () => {
  const filled = () => memorySecret('other', ringText([newSharedSecret(BEGINNING)])).through(OPEN);
  const deploy = (custody: SigningCustody, gates: Gates = OPEN, changes: Partial<MakeKeysNeeds> = {}) =>
    makeKeys({
      now: clock.now,
      signingKeys: signingKeys.through(gates),
      refreshSecrets: filled(),
      peppers: filled(),
      publicKeys: publicKeys.through(gates),
      algorithm: 'ES256',
      custody,
      newSigningKey: newKeys(custody, gates),
      publication: PUBLICATION,
      keptFor: KEPT,
      ...changes,
    });
  const custodies = () => ring().map((key) => (isInKms(key) ? 'kms' : 'secret'));
  const signingAfter = (seconds: Seconds) => {
    const key = keySigningAt(ring(), after(clock.now(), seconds));
    return isInKms(key) ? 'kms' : 'secret';
  };

  test('with KMS from the beginning makes its first key there, which signs at once, and no second one', async () => {
    signingKeys = memorySecret('signingKeys', 'what CloudFormation put there');
    publicKeys.set('-');
    for (let time = 1; time <= 3; time += 1) await deploy('kms');
    expectUsable();
    expect([custodies(), kms.all().length]).toEqual([['kms'], 2]);
  });

  test('that changes to KMS publishes a key there, which signs three hours later; nobody waits for it', async () => {
    await reset('secret');
    await deploy('kms');
    expectUsable();
    expect([custodies(), published().length]).toEqual([['secret', 'kms'], 2]);
    expect([signingAfter(PUBLICATION - 1), signingAfter(PUBLICATION)]).toEqual(['secret', 'kms']);
    const before = signingKeys.text();
    clock.advance(60);
    await deploy('kms');
    expect(signingKeys.text()).toBe(before);
    clock.advance(PUBLICATION + KEPT);
    await rotate();
    expect(custodies()).toEqual(['kms', 'kms']);
  });

  test('that leaves KMS goes through secret-after-kms: the last key of KMS signs until the next one may, and then goes', async () => {
    await expect(deploy('secret')).rejects.toThrow(DeploymentRefused);
    await deploy('secret-after-kms');
    expectUsable();
    expect(custodies()).toEqual(['kms', 'secret']);
    expect([signingAfter(PUBLICATION - 1), signingAfter(PUBLICATION)]).toEqual(['kms', 'secret']);
    const last = ring().find(isInKms)!;
    clock.set(after(last.endsAt!, -1));
    await expect(deploy('secret')).rejects.toThrow('deploy with signing=secret-after-kms first');
    clock.advance(1);
    await rotate(OPEN, token(), 'secret-after-kms');
    expect([custodies(), kms.usable()]).toEqual([['secret', 'secret'], []]);
    const before = signingKeys.text();
    await deploy('secret');
    expect(signingKeys.text()).toBe(before);
  });

  test('that changes the algorithm in KMS makes the next key there, and keeps the one before for as long as it is needed', async () => {
    await deploy('kms', OPEN, { algorithm: 'EdDSA' });
    expectUsable();
    expect(ring().map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA']);
    expect(kms.usable()).toHaveLength(2);
  });

  test.each(['before', 'after'] as const)(
    'may be cut off %s any of its calls, and the next one makes up for it',
    async (when) => {
      let calls = Infinity;
      for (let at = 1; at <= calls; at += 1) {
        await reset('secret');
        await deploy('kms', cutOff(at, when)).then(
          () => (calls = at - 1),
          () => undefined,
        );
        expectUsable();
        await deploy('kms');
        expectUsable();
        expect([at, custodies()]).toEqual([at, ['secret', 'kms']]);
        expect(kms.usable().length).toBeLessThanOrEqual(2);
      }
      expect(calls).toBeGreaterThan(when === 'before' ? 10 : 3);
    },
  );

  test('may run at the same time as another one and as a rotation, in any order of the calls', async () => {
    for (let seed = 1; seed <= count(40, 800); seed += 1) {
      await reset('secret');
      const version = token();
      const rotating = (gates: Gates) => rotate(gates, version).catch(() => undefined);
      await interleaved(seed, [(gates) => deploy('kms', gates), (gates) => deploy('kms', gates), rotating]);
      expectUsable();
      expect([seed, custodies()]).toEqual([seed, ['secret', 'kms']]);
    }
  });
});
