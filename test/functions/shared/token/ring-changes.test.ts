import { describe, expect, test } from '@jest/globals';
import { unixSeconds, type UnixSeconds } from '../../../../functions/shared/domain/time.ts';
import { keySigningAt, type RingKey } from '../../../../functions/shared/token/key-ring.ts';
import { keysWaiting, stateOf, withKeyRetired, withNextKey } from '../../../../functions/shared/token/ring-changes.ts';

const at = unixSeconds;
const NOW = at(1_000);
const LEAD = 100;
const KEPT = 50;

const key = (kid: string, signsFrom: number, endsAt?: number): RingKey => ({
  kid,
  publishedAt: at(signsFrom - LEAD),
  signsFrom: at(signsFrom),
  ...(endsAt !== undefined && { endsAt: at(endsAt) }),
});
const next = (kid: string, publishedAt: number = NOW) => key(kid, publishedAt + LEAD);
const times = (ring: readonly RingKey[] | undefined) =>
  ring?.map(({ kid, signsFrom, endsAt }) => `${kid} ${signsFrom}-${endsAt ?? ''}`);
const made =
  (kid = 'new') =>
  (with_: { publishedAt: UnixSeconds; signsFrom: UnixSeconds }) =>
    Promise.resolve({ kid, ...with_ });
const never = () => Promise.reject(new Error('no key is needed'));

test('a key is next until the second it signs, current until another signs, previous until it ends', () => {
  const ring = [key('a', 900, 1_150), key('b', 1_100)];
  const states = (time: number) => ring.map((one) => stateOf(one, ring, at(time)));
  expect(states(1_099)).toEqual(['current', 'next']);
  expect(states(1_100)).toEqual(['previous', 'current']);
  expect(states(1_149)).toEqual(['previous', 'current']);
  expect(states(1_150)).toEqual(['ended', 'current']);
  expect(keysWaiting(ring, at(1_099)).map(({ kid }) => kid)).toEqual(['b']);
  expect(keysWaiting(ring, at(1_100))).toEqual([]);
});

describe('the next key', () => {
  test('gives the one before it an end: its last token’s', () => {
    expect(times(withNextKey([key('a', 0)], next('b'), KEPT))).toEqual(['a 0-1150', 'b 1100-']);
  });

  test('leaves out what has ended by then, and nothing that has not', () => {
    const ring = [key('a', 0, 1_000), key('b', 10, 1_001), key('c', 20)];
    expect(times(withNextKey(ring, next('d'), KEPT))).toEqual(['b 10-1001', 'c 20-1150', 'd 1100-']);
  });

  test('never brings an end forward: the settings may have been others when the key signed', () => {
    expect(times(withNextKey([key('a', 0, 9_000), key('b', 20)], next('c'), KEPT))).toEqual([
      'a 0-9000',
      'b 20-1150',
      'c 1100-',
    ]);
  });

  test('of peppers ends none, whatever the ring says: a hash may name it', () => {
    const ring = [key('a', 0), key('b', 10, 5_000)];
    expect(times(withNextKey(ring, next('c'), undefined))).toEqual(['a 0-', 'b 10-', 'c 1100-']);
  });

  test('leaves a ring that always has a key that signs', () => {
    let ring: readonly RingKey[] = [key('0', 0)];
    for (let time = 1_000; time < 3_000; time += 1) {
      if (time % 37 === 0) ring = withNextKey(ring, next(String(time), time), KEPT);
      expect(() => keySigningAt(ring, at(time))).not.toThrow();
    }
    expect(ring.filter(({ endsAt }) => endsAt === undefined)).toHaveLength(1);
  });
});

describe('retired', () => {
  const retired = (ring: readonly RingKey[], kid: string, newKey: ReturnType<typeof made> = never) =>
    withKeyRetired(ring, kid, NOW, newKey);

  test('at once, the key that signs leaves its place to a new one', async () => {
    expect(times(await retired([key('p', 0, 1_020), key('a', 900)], 'a', made()))).toEqual([
      'a 900-1000',
      'p 0-1020',
      'new 1000-',
    ]);
  });

  test('or to the one that waits, which verifiers know', async () => {
    expect(times(await retired([key('a', 900, 1_150), key('b', 1_100)], 'a'))).toEqual(['a 900-1000', 'b 1000-']);
  });

  test('the key that waits leaves the one before it without an end', async () => {
    expect(times(await retired([key('a', 900, 1_150), key('b', 1_100)], 'b'))).toEqual(['b 1100-1000', 'a 900-']);
  });

  test('the first of two that wait leaves no gap', async () => {
    const ring = [key('a', 900, 1_150), key('b', 1_100, 1_450), key('c', 1_400)];
    expect(times(await retired(ring, 'b'))).toEqual(['b 1100-1000', 'a 900-1450', 'c 1400-']);
    expect(times(await retired(ring, 'c'))).toEqual(['c 1400-1000', 'a 900-1150', 'b 1100-']);
  });

  test('a key that signs no more changes nothing else', async () => {
    expect(times(await retired([key('p', 0, 1_020), key('a', 900)], 'p'))).toEqual(['p 0-1000', 'a 900-']);
  });

  test('is no key that is not there, or has ended already', async () => {
    expect(await retired([key('p', 0, 1_000), key('a', 900)], 'p')).toBeUndefined();
    expect(await retired([key('a', 900)], 'b')).toBeUndefined();
  });

  test('a key stays in the ring, so that its name is known and nobody reads the ring anew for it', async () => {
    const ring = (await retired([key('a', 900)], 'a', made()))!;
    expect(stateOf(ring[0]!, ring, NOW)).toBe('ended');
    expect(keySigningAt(ring, NOW).kid).toBe('new');
  });
});
