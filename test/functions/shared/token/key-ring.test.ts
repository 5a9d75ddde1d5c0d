import { describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint } from 'jose';
import { SIGNING_ALGORITHMS } from '../../../../functions/shared/domain/settings.ts';
import { after, unixSeconds } from '../../../../functions/shared/domain/time.ts';
import {
  hasEnded,
  keySigningAt,
  sharedSecretsFrom,
  signingRingFrom,
} from '../../../../functions/shared/token/key-ring.ts';
import { newKmsKey } from '../../../../functions/shared/token/kms-keys.ts';
import { newSharedSecret, newSigningKey, ringText } from '../../../../functions/shared/token/new-keys.ts';
import { keySetFrom, localKeySetFrom, publicKeysOf } from '../../../../functions/shared/token/public-keys.ts';
import { START } from '../../../support/clock.ts';
import { OPEN } from '../../../support/kept.ts';
import { memoryKms } from '../../../support/kms.ts';

const times = { publishedAt: START, signsFrom: after(START, 10) };

describe('the key that signs', () => {
  const key = (kid: string, signsFrom: number, endsAt?: number) => ({
    kid,
    publishedAt: unixSeconds(0),
    signsFrom: unixSeconds(signsFrom),
    ...(endsAt !== undefined && { endsAt: unixSeconds(endsAt) }),
  });
  const ring = [key('b', 200), key('a', 100, 500), key('c', 300)];
  const kidAt = (time: number, keys = ring) => keySigningAt(keys, unixSeconds(time)).kid;

  test('is the youngest whose second has come, in whatever order they stand', () => {
    expect([100, 199, 200, 299, 300, 10_000].map((time) => kidAt(time))).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  });

  test('has not ended: from the second of its end on, the one before it signs again', () => {
    const withEnd = [key('a', 100), key('b', 200, 300)];
    expect([299, 300].map((time) => kidAt(time, withEnd))).toEqual(['b', 'a']);
    expect([299, 300, 301].map((time) => hasEnded(key('x', 0, 300), unixSeconds(time)))).toEqual([false, true, true]);
    expect(hasEnded(key('x', 0), unixSeconds(2 ** 40))).toBe(false);
  });

  test('must be there', () => {
    expect(() => kidAt(99)).toThrow('no key of the ring signs now');
    expect(() => kidAt(500, [key('a', 100, 500)])).toThrow('no key of the ring signs now');
    expect(() => kidAt(500, [])).toThrow(expect.objectContaining({ name: 'NoKey' }));
  });
});

describe.each(SIGNING_ALGORITHMS)('a new signing key for %s', (alg) => {
  test('is read from its ring as it was written', async () => {
    const made = await newSigningKey(alg, times);
    expect(signingRingFrom(ringText([made]))).toEqual([made]);
  });

  test('is named by its thumbprint, so that no two keys share a name', async () => {
    const { kid, privateJwk } = await newSigningKey(alg, times);
    expect(kid).toBe(await calculateJwkThumbprint(privateJwk));
  });

  test('shows only its public members', async () => {
    const made = await newSigningKey(alg, times);
    const [shown = {}] = publicKeysOf([made], START).keys;
    const members = { ES256: ['crv', 'x', 'y'], EdDSA: ['crv', 'x'], RS256: ['n', 'e'] }[alg];
    expect(Object.keys(shown).sort()).toEqual(['alg', 'kid', 'kty', 'use', ...members].sort());
    expect(shown).toMatchObject({ alg, kid: made.kid, use: 'sig' });
    if (alg === 'RS256') expect(Buffer.from(String(made.privateJwk.n), 'base64url')).toHaveLength(3_072 / 8);
  });

  test('is not another one', async () => {
    const [one, other] = await Promise.all([newSigningKey(alg, times), newSigningKey(alg, times)]);
    expect(one.kid).not.toBe(other.kid);
  });
});

describe.each(SIGNING_ALGORITHMS)('a new key of KMS for %s', (alg) => {
  const made = () => newKmsKey(memoryKms(() => START).through(OPEN), alg, times);

  test('is read from its ring as it was written, which has nothing private', async () => {
    const key = await made();
    expect(signingRingFrom(ringText([key]))).toEqual([key]);
    expect(ringText([key])).not.toMatch(/"(d|p|q|dp|dq|qi|k|oth|privateJwk)":/);
    expect(key).toMatchObject({ ...times, alg, kmsKey: 'arn:aws:kms:us-east-1:1:key/1' });
  });

  test('is named by its thumbprint and published as every other', async () => {
    const key = await made();
    const [shown = {}] = publicKeysOf([key], START).keys;
    expect(key.kid).toBe(await calculateJwkThumbprint(key.publicJwk));
    const kept = await newSigningKey(alg, times);
    expect(Object.keys(shown)).toEqual(Object.keys(publicKeysOf([kept], START).keys[0] ?? {}));
    expect(shown).toMatchObject({ alg, kid: key.kid, use: 'sig', ...key.publicJwk });
  });
});

describe('a new shared secret', () => {
  test('has 48 random bytes and is read from its ring as it was written', () => {
    const made = newSharedSecret(times);
    const [read] = sharedSecretsFrom(ringText([made]));
    expect(Buffer.from(read!.secret).equals(made.secret)).toBe(true);
    expect(read).toMatchObject({ kid: made.kid, ...times });
    expect(made.secret).toHaveLength(48);
    expect(Buffer.from(newSharedSecret(times).secret).equals(made.secret)).toBe(false);
    expect(newSharedSecret(times).kid).not.toBe(made.kid);
  });
});

describe('a ring is no ring', () => {
  const secretKey = { kid: 'a', publishedAt: 1, signsFrom: 1, secret: Buffer.alloc(32).toString('base64url') };
  const signingKey = { kid: 'a', publishedAt: 1, signsFrom: 1, alg: 'ES256', privateJwk: { kty: 'EC' } };
  const ringOf = (...keys: unknown[]) => JSON.stringify({ keys });

  test('(one that is complete is)', () => {
    expect(sharedSecretsFrom(ringOf(secretKey))).toHaveLength(1);
    expect(signingRingFrom(ringOf(signingKey))).toHaveLength(1);
    expect(signingRingFrom(ringOf({ ...signingKey, endsAt: 2 }))).toMatchObject([{ endsAt: 2 }]);
  });

  test.each(['', 'x', '{}', '[]', 'null', '{"keys":null}', '{"keys":[]}', '{"keys":{"0":{}}}', '{"keys":["a"]}'])(
    'where its text is %j',
    (text) => {
      expect(() => sharedSecretsFrom(text)).toThrow(expect.objectContaining({ name: 'Unfit' }));
      expect(() => signingRingFrom(text)).toThrow(expect.objectContaining({ name: 'Unfit' }));
    },
  );

  test.each(['kid', 'publishedAt', 'signsFrom', 'secret'])('of secrets where one lacks its %s', (name) => {
    expect(() => sharedSecretsFrom(ringOf(secretKey, { ...secretKey, [name]: undefined }))).toThrow(name);
  });

  test.each(['kid', 'publishedAt', 'signsFrom', 'alg', 'privateJwk'])('of keys where one lacks its %s', (name) => {
    const error = { name: 'Unfit' };
    expect(() => signingRingFrom(ringOf(signingKey, { ...signingKey, [name]: null }))).toThrow(
      expect.objectContaining(error),
    );
  });

  test.each(['kid', 'publishedAt', 'signsFrom', 'alg', 'kmsKey', 'publicJwk'])(
    'of keys of KMS where one lacks its %s',
    (name) => {
      const kmsKey = { kid: 'a', publishedAt: 1, signsFrom: 1, alg: 'ES256', kmsKey: 'arn', publicJwk: { kty: 'EC' } };
      expect(signingRingFrom(ringOf(kmsKey))).toEqual([kmsKey]);
      expect(() => signingRingFrom(ringOf({ ...kmsKey, [name]: null }))).toThrow(
        expect.objectContaining({ name: 'Unfit' }),
      );
    },
  );

  test.each(['none', 'HS256', 'PS256', 1])('of keys where one is for the algorithm %j', (alg) => {
    expect(() => signingRingFrom(ringOf({ ...signingKey, alg }))).toThrow('alg is not known');
  });

  test('of secrets where one has fewer than 32 bytes; what it has is not in the message', () => {
    const short = Buffer.alloc(31, 'leak').toString('base64url');
    expect(() => sharedSecretsFrom(ringOf({ ...secretKey, secret: short }))).toThrow(/^secret is too short$/);
  });
});

describe('the published key set', () => {
  test('has every key that has not ended, also those that sign later', async () => {
    const make = (from: number) => newSigningKey('ES256', { publishedAt: START, signsFrom: after(START, from) });
    const [old, current, later] = await Promise.all([make(-100), make(0), make(100)]);
    const ring = [{ ...old, endsAt: after(START, 50) }, current, later];
    const kidsAt = (age: number) => publicKeysOf(ring, after(START, age)).keys.map(({ kid }) => kid);
    expect(kidsAt(49)).toEqual([old.kid, current.kid, later.kid]);
    expect(kidsAt(50)).toEqual([current.kid, later.kid]);
  });

  test('is read from its text', async () => {
    const set = publicKeysOf([await newSigningKey('ES256', times)], START);
    expect(keySetFrom(JSON.stringify(set))).toEqual(set);
  });

  test.each(['', 'initial', '{}', '{"keys":[]}', '{"keys":[{}]}', '{"keys":[{"kty":"EC"}]}', '{"keys":[{"kid":"a"}]}'])(
    'is not %j',
    (text) => {
      expect(() => keySetFrom(text)).toThrow(expect.objectContaining({ name: 'Unfit' }));
      expect(() => localKeySetFrom(text)).toThrow(expect.objectContaining({ name: 'Unfit' }));
    },
  );
});
