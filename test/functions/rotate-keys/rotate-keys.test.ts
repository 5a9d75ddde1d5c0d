import { beforeEach, describe, expect, test } from '@jest/globals';
import { makeKeys } from '../../../functions/make-keys/make-keys.ts';
import { rotateKeys, type RingNeeds, type StepName } from '../../../functions/rotate-keys/rotate-keys.ts';
import { after, type Seconds } from '../../../functions/shared/domain/time.ts';
import {
  keySigningAt,
  sharedSecretsFrom,
  signingRingFrom,
  type SharedSecret,
  type SigningKey,
} from '../../../functions/shared/token/key-ring.ts';
import { proveKeys } from '../../../functions/shared/token/key-proof.ts';
import { newSharedSecret, newSigningKey, ringText } from '../../../functions/shared/token/new-keys.ts';
import { keySetFrom, publicKeysOf } from '../../../functions/shared/token/public-keys.ts';
import { publish, publishCurrent } from '../../../functions/shared/token/publication.ts';
import { withKeyRetired } from '../../../functions/shared/token/ring-changes.ts';
import { clockAt, START, type SetClock } from '../../support/clock.ts';
import { count } from '../../support/counts.ts';
import { cutOff, interleaved, memorySecret, memoryText, OPEN, type Gates } from '../../support/kept.ts';

const PUBLICATION = 3 * 3_600;
const KEPT = 86_400 + 900;
const STEPS: readonly StepName[] = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];

const BEGINNING = { publishedAt: START, signsFrom: START };
const first = await newSigningKey('ES256', BEGINNING);

let clock: SetClock;
let signingKeys: ReturnType<typeof memorySecret>;
let publicKeys: ReturnType<typeof memoryText>;
/** Names the versions that rotations want to become current. */
let rotations: number;

beforeEach(() => {
  clock = clockAt();
  reset();
});

function reset(ring: readonly SigningKey[] = [first]): void {
  clock.set(after(START, 1_000));
  rotations = 0;
  signingKeys = memorySecret('signingKeys', ringText(ring));
  publicKeys = memoryText('publicKeys', JSON.stringify(publicKeysOf(ring, clock.now())));
}

/** Keys cost a while to make, and what they are is of no matter here. */
const spares = await Promise.all(Array.from({ length: 40 }, () => newSigningKey('ES256', BEGINNING)));
let spare = 0;

function needs(gates: Gates = OPEN): RingNeeds<SigningKey> {
  const kept = { now: clock.now, publicKeys: publicKeys.through(gates), signingKeys: signingKeys.through(gates) };
  return {
    now: clock.now,
    secret: signingKeys.through(gates),
    read: signingRingFrom,
    newKey: (times) => ({ ...spares[(spare += 1) % spares.length]!, ...times }),
    publication: PUBLICATION,
    keptFor: KEPT,
    publish: (ring) => publish(ring, kept),
    prove: async (ring) => proveKeys(ring, (await kept.publicKeys.read()) ?? ''),
    settle: () => publishCurrent(kept),
  };
}

const ring = () => signingRingFrom(signingKeys.text());
const published = () => keySetFrom(publicKeys.text()).keys.map(({ kid }) => kid);

/** The version of the rotation that is under way, or of a new one: what Secrets Manager calls with. */
function token(): string {
  const pending = signingKeys.pendingId();
  if (pending !== undefined) return pending;
  rotations += 1;
  signingKeys.begin(`rotation-${rotations}`);
  return `rotation-${rotations}`;
}

async function rotate(gates: Gates = OPEN, version = token()): Promise<void> {
  for (const step of STEPS) await rotateKeys(step, version, needs(gates));
}

/** Exactly one key signs, now and at every later moment, and everybody knows the one that signs now. */
function expectUsable(): void {
  const keys = ring();
  const moments = keys.flatMap(({ signsFrom, endsAt }) => [signsFrom, endsAt ?? signsFrom]);
  for (const moment of [clock.now(), ...moments].filter((one) => one >= clock.now())) {
    const signing = keySigningAt(keys, moment);
    expect(keys.filter(({ kid }) => kid === signing.kid)).toHaveLength(1);
    expect(keys.filter(({ signsFrom }) => signsFrom === signing.signsFrom)).toHaveLength(1);
  }
  expect(published()).toContain(keySigningAt(keys, clock.now()).kid);
}

/** All that a rotation is to leave. */
function expectRotated(): void {
  expectUsable();
  const [old, made, ...more] = ring();
  expect(more).toEqual([]);
  expect(old?.kid).toBe(first.kid);
  expect(made!.signsFrom - made!.publishedAt).toBe(PUBLICATION);
  expect(old!.endsAt).toBe(made!.signsFrom + KEPT);
  expect(made!.endsAt).toBeUndefined();
  expect(published().toSorted()).toEqual([old!.kid, made!.kid].toSorted());
}

describe('a rotation', () => {
  test('publishes a key that signs three hours later, and says when the old one ends', async () => {
    await rotate();
    expectRotated();
    const [old, made] = ring();
    expect(keySigningAt(ring(), after(made!.signsFrom, -1)).kid).toBe(old!.kid);
    expect(keySigningAt(ring(), made!.signsFrom).kid).toBe(made!.kid);
  });

  test('shows the new key to nobody who signs before everybody who verifies can know it', async () => {
    const version = token();
    await rotateKeys('createSecret', version, needs());
    expect([ring().length, published().length]).toEqual([1, 1]);
    await rotateKeys('setSecret', version, needs());
    expect([ring().length, published().length]).toEqual([1, 2]);
    await rotateKeys('testSecret', version, needs());
    expect([ring().length, published().length]).toEqual([1, 2]);
    await rotateKeys('finishSecret', version, needs());
    expect([ring().length, published().length]).toEqual([2, 2]);
  });

  test('while a key waits makes no other one', async () => {
    await rotate();
    const before = ring();
    clock.advance(PUBLICATION - 1);
    await rotate();
    expect(ring()).toEqual(before);
    clock.advance(1);
    await rotate();
    expect(ring()).toHaveLength(3);
  });

  test('leaves out the keys that have ended', async () => {
    await rotate();
    clock.advance(30 * 86_400);
    await rotate();
    expect(ring()).toHaveLength(2);
    expect(ring().map(({ kid }) => kid)).not.toContain(first.kid);
    expectUsable();
  });

  test('of a year keeps one ring of two or three keys, each published from three hours before it signs', async () => {
    const known = new Set<string | undefined>(published());
    for (let month = 1; month <= 12; month += 1) {
      await rotate();
      expectUsable();
      expect(ring().length).toBeLessThanOrEqual(3);
      for (const kid of published()) known.add(kid);
      clock.advance(30 * 86_400);
      expectUsable();
    }
    expect(known.size).toBe(13);
  });

  test.each(STEPS)('of which nothing is known (%s) is refused', async (step) => {
    await expect(rotateKeys(step, 'unheard-of', needs())).rejects.toThrow('no such version is pending');
    expect(ring()).toHaveLength(1);
  });

  test.each(['setSecret', 'testSecret', 'finishSecret'] as const)('that begins with %s is refused', async (step) => {
    await expect(rotateKeys(step, token(), needs())).rejects.toThrow('there is no pending ring');
    expect([ring().length, published().length]).toEqual([1, 1]);
  });

  test('that is finished without having been published is published first', async () => {
    const version = token();
    await rotateKeys('createSecret', version, needs());
    const order: string[] = [];
    const noting: Gates = { ...OPEN, after: (call) => Promise.resolve(void order.push(call)) };
    await rotateKeys('finishSecret', version, needs(noting));
    expect(order).toEqual(['publicKeys.write', 'signingKeys.promote']);
    expectRotated();
  });

  test('fails its test where a key is not published, or another one under its name', async () => {
    const version = token();
    await rotateKeys('createSecret', version, needs());
    await expect(rotateKeys('testSecret', version, needs())).rejects.toThrow();
    await rotateKeys('setSecret', version, needs());
    const { keys } = keySetFrom(publicKeys.text());
    const mixed = keys.map((key, at) => ({ ...key, kid: keys[(at + 1) % keys.length]!.kid }));
    publicKeys.set(JSON.stringify({ keys: mixed }));
    await expect(rotateKeys('testSecret', version, needs())).rejects.toThrow();
  });

  test('is tried with a copy of the ring when the schedule is made', async () => {
    const version = token();
    await signingKeys.through(OPEN).putPending(version, signingKeys.text());
    const before = signingKeys.currentId();
    await rotateKeys('testSecret', version, needs());
    expect(signingKeys.currentId()).toBe(before);
  });

  test('of a secret without keys makes none: that is the deployment’s', async () => {
    signingKeys = memorySecret('signingKeys', 'what CloudFormation put there');
    await expect(rotate()).rejects.toThrow('there are no keys yet');
    signingKeys = memorySecret('signingKeys');
    await expect(rotate()).rejects.toThrow('there are no keys yet');
  });
});

describe('a rotation that is held up', () => {
  const heldUp = async (seconds: Seconds, before: StepName): Promise<void> => {
    const version = token();
    for (const step of STEPS) {
      if (step === before) clock.advance(seconds);
      await rotateKeys(step, version, needs());
    }
  };

  test.each(['setSecret', 'finishSecret'] as const)('for a quarter of the time before %s goes on', async (step) => {
    await heldUp(PUBLICATION / 4, step);
    expectRotated();
  });

  test.each(['setSecret', 'finishSecret'] as const)(
    'for longer before %s is given up, and the next one begins anew',
    async (step) => {
      await expect(heldUp(PUBLICATION / 4 + 1, step)).rejects.toThrow('the new key would sign too early');
      expect(signingKeys.pendingId()).toBeUndefined();
      expect(ring()).toEqual([first]);
      await rotate();
      expectRotated();
    },
  );
});

describe('a ring that changes meanwhile', () => {
  const retire = async (kid: string, gates: Gates = OPEN): Promise<void> => {
    const secret = signingKeys.through(gates);
    for (;;) {
      const found = await secret.current();
      const keys = await withKeyRetired(signingRingFrom(found!.text), kid, clock.now(), (times) =>
        newSigningKey('ES256', times),
      );
      if (keys === undefined) return;
      await publish(keys, { now: clock.now, publicKeys: publicKeys.through(gates) });
      if (await secret.replace(ringText(keys), found)) break;
    }
    await publishCurrent({ now: clock.now, publicKeys: publicKeys.through(gates), signingKeys: secret });
  };

  test.each(['setSecret', 'testSecret', 'finishSecret'] as const)(
    '(before %s) is not undone: a retired key does not come back, and the next rotation succeeds',
    async (step) => {
      const version = token();
      await expect(
        (async () => {
          for (const each of STEPS) {
            if (each === step) await retire(first.kid);
            await rotateKeys(each, version, needs());
          }
        })(),
      ).rejects.toThrow();
      expectUsable();
      expect(published()).not.toContain(first.kid);
      await rotate().catch(() => rotate());
      expectUsable();
      expect(published()).not.toContain(first.kid);
      expect(ring()).toHaveLength(2);
    },
  );

  test('in any order of the calls leaves a ring that everybody knows, without the retired key', async () => {
    for (let seed = 1; seed <= count(150, 2_000); seed += 1) {
      reset();
      const version = token();
      await interleaved(seed, [(gates) => rotate(gates, version), (gates) => retire(first.kid, gates)]);
      const retired = ring().find(({ kid }) => kid === first.kid);
      expect({ seed, retired: retired === undefined || retired.endsAt === clock.now() }).toEqual({
        seed,
        retired: true,
      });
      expectUsable();
      expect(published()).not.toContain(first.kid);
    }
  });

  const withoutRetired = (seed: number): void => {
    expectUsable();
    expect({ seed, published: published() }).toEqual({
      seed,
      published: ring()
        .slice(1)
        .map(({ kid }) => kid),
    });
  };

  test('while the next ring is published is what stands there in the end, in any order of the calls', async () => {
    for (let seed = 1; seed <= count(150, 2_000); seed += 1) {
      reset();
      const version = token();
      await rotateKeys('createSecret', version, needs());
      // Nobody comes for the other steps.
      await interleaved(seed, [
        (gates) => rotateKeys('setSecret', version, needs(gates)),
        (gates) => retire(first.kid, gates),
      ]);
      expectUsable();
      expect(published()).not.toContain(first.kid);
    }
  });

  test('while it is published is published in the end, in any order of the calls', async () => {
    for (let seed = 1; seed <= count(150, 2_000); seed += 1) {
      reset();
      publicKeys.set('not made yet');
      await interleaved(seed, [(gates) => needs(gates).settle(), (gates) => retire(first.kid, gates)]);
      withoutRetired(seed);
    }
  });

  test('by somebody who published and was cut off then does not leave the new ring without its keys', async () => {
    const version = token();
    for (const step of STEPS.slice(0, 3)) await rotateKeys(step, version, needs());
    const before = (call: string) => {
      if (call.endsWith('.promote')) publicKeys.set(JSON.stringify(publicKeysOf([first], START)));
      return Promise.resolve();
    };
    await rotateKeys('finishSecret', version, needs({ ...OPEN, before }));
    expectRotated();
  });

  test('by a deployment that changes the algorithm keeps both in one ring', async () => {
    const filled = memorySecret('other', ringText([newSharedSecret(BEGINNING)])).through(OPEN);
    const version = token();
    await rotateKeys('createSecret', version, needs());
    await makeKeys({
      now: clock.now,
      signingKeys: signingKeys.through(OPEN),
      refreshSecrets: filled,
      peppers: filled,
      publicKeys: publicKeys.through(OPEN),
      algorithm: 'EdDSA',
      custody: 'secret',
      newSigningKey,
      publication: PUBLICATION,
      keptFor: KEPT,
    });
    await expect(rotateKeys('setSecret', version, needs())).rejects.toThrow('the ring was changed meanwhile');
    expect(ring().map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA']);
    expectUsable();
  });
});

describe('every step', () => {
  test('may be done twice, and again after all the others', async () => {
    const version = token();
    for (const step of STEPS) {
      await rotateKeys(step, version, needs());
      const [keys, known] = [signingKeys.text(), publicKeys.text()];
      await rotateKeys(step, version, needs());
      expect([signingKeys.text(), publicKeys.text()]).toEqual([keys, known]);
      expectUsable();
    }
    const before = signingKeys.text();
    for (const step of [...STEPS, ...STEPS.toReversed()]) await rotateKeys(step, version, needs());
    expect(signingKeys.text()).toBe(before);
    expectRotated();
  });

  test.each(['before', 'after'] as const)(
    'may be cut off %s any of its calls, and a later run finishes',
    async (when) => {
      let calls = Infinity;
      for (let at = 1; at <= calls; at += 1) {
        reset();
        const gates = cutOff(at, when);
        await rotate(gates).then(
          () => (calls = at - 1),
          () => undefined,
        );
        expectUsable();
        // Secrets Manager goes on with the version that is pending; where that was given up, with a new one.
        const version = signingKeys.currentId()?.startsWith('rotation') ? signingKeys.currentId() : undefined;
        await rotate(OPEN, version ?? token());
        expectRotated();
      }
      expect(calls).toBeGreaterThan(when === 'before' ? 15 : 2);
    },
  );

  test.each([2, 3])('may run at the same time as itself (%i of them, in any order of their calls)', async (runs) => {
    for (let seed = 1; seed <= count(60, 800); seed += 1) {
      reset();
      const version = token();
      for (const step of STEPS) {
        const acts = Array.from({ length: runs }, () => (gates: Gates) => rotateKeys(step, version, needs(gates)));
        const ran = await interleaved(seed, acts, expectUsable);
        expect(ran.filter(({ status }) => status === 'rejected')).toEqual([]);
      }
      expectRotated();
    }
  });

  test('may run at the same time as any other of the same rotation', async () => {
    for (let seed = 1; seed <= count(100, 1_500); seed += 1) {
      reset();
      const version = token();
      await interleaved(seed, [(gates) => rotate(gates, version), (gates) => rotate(gates, version)], expectUsable);
      expectUsable();
      await rotate(OPEN, version).catch(() => rotate());
      expectRotated();
    }
  });

  test('may be frozen before any of its calls, until another rotation has begun and ended', async () => {
    let calls = Infinity;
    for (let at = 1; at <= calls; at += 1) {
      reset();
      const version = token();
      let made = 0;
      let kids: readonly string[] = [];
      const before = async (): Promise<void> => {
        made += 1;
        if (made !== at) return;
        // Secrets Manager begins another once the first was given up, and knows nothing of what still runs.
        signingKeys.begin('rotation-later');
        await rotate(OPEN, 'rotation-later');
        kids = ring().map(({ kid }) => kid);
      };
      await rotate({ ...OPEN, before }, version).catch(() => undefined);
      if (made < at) calls = made;
      else expect({ at, kids: ring().map(({ kid }) => kid) }).toEqual({ at, kids });
      expectRotated();
    }
    expect(calls).toBeGreaterThan(15);
  });
});

describe('a shared secret', () => {
  const secretNeeds = (
    secret: ReturnType<typeof memorySecret>,
    keptFor: Seconds | undefined,
  ): RingNeeds<SharedSecret> => ({
    now: clock.now,
    secret: secret.through(OPEN),
    read: sharedSecretsFrom,
    newKey: newSharedSecret,
    publication: PUBLICATION,
    keptFor,
    publish: () => Promise.resolve(),
    prove: () => Promise.resolve(),
    settle: () => Promise.resolve(),
  });
  const rotated = async (secret: ReturnType<typeof memorySecret>, keptFor: Seconds | undefined, name: string) => {
    secret.begin(name);
    for (const step of STEPS) await rotateKeys(step, name, secretNeeds(secret, keptFor));
    return sharedSecretsFrom(secret.text());
  };

  test('of refresh tokens is known for three hours before it signs and accepted while a session of its can last', async () => {
    const secret = memorySecret('refreshSecrets', ringText([newSharedSecret(BEGINNING)]));
    const [old, made] = await rotated(secret, 90 * 86_400, 'one');
    expect(made!.signsFrom).toBe(clock.now() + PUBLICATION);
    expect(old!.endsAt).toBe(made!.signsFrom + 90 * 86_400);
  });

  test('of passwords is never dropped and never ends', async () => {
    const secret = memorySecret('peppers', ringText([newSharedSecret(BEGINNING)]));
    const kids = new Set(sharedSecretsFrom(secret.text()).map(({ kid }) => kid));
    for (let year = 1; year <= 30; year += 1) {
      clock.advance(365 * 86_400);
      const keys = await rotated(secret, undefined, `year-${year}`);
      for (const { kid } of keys) kids.add(kid);
      expect(keys.map(({ kid }) => kid).toSorted()).toEqual([...kids].toSorted());
      expect(keys.every(({ endsAt }) => endsAt === undefined)).toBe(true);
    }
    expect(kids.size).toBe(31);
  });

  test('fits into the 64 KB of its ring, however many there are', () => {
    const bytes = (keys: number, more: { endsAt?: typeof START }) =>
      Buffer.byteLength(ringText(Array.from({ length: keys }, () => ({ ...newSharedSecret(BEGINNING), ...more }))));
    // The most refresh secrets that sessions of 400 days and a rotation a week leave, and 400 peppers: a century of four a year.
    expect(bytes(60, { endsAt: START })).toBeLessThan(65_536 / 6);
    expect(bytes(400, {})).toBeLessThan(65_536);
  });
});
