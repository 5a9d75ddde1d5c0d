import { describe, expect, test } from '@jest/globals';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { jwsSignatureFrom } from '../../../../functions/shared/token/ecdsa-signature.ts';
import { count } from '../../../support/counts.ts';
import { SEED } from '../../../support/seed.ts';
import { describeVectors, ecdsaVectors } from '../../../support/vectors.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A positive INTEGER in DER, made another way than it is read. */
function integer(bytes: Uint8Array): Buffer {
  const short = Buffer.from(bytes.subarray(bytes.findIndex((byte) => byte !== 0)));
  const body = short[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short;
  return Buffer.concat([Buffer.of(2, body.length), body]);
}
const sequence = (...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
};

test('what Node signs in DER verifies as what it signs with, as r and s', () => {
  for (let round = 0; round < count(300, 20_000); round += 1) {
    const message = Buffer.from(`message ${round}`);
    const signature = jwsSignatureFrom(sign('sha256', message, privateKey));
    expect(signature).toHaveLength(64);
    expect([round, verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)]).toEqual([
      round,
      true,
    ]);
  }
});

/** 32 bytes that are not all zero, often with zeros or a high bit in front. */
const numbers = fc
  .tuple(fc.nat(31), fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.constantFrom(0x01, 0x7f, 0x80, 0xff))
  .map(([zeros, bytes, first]) => {
    const number = Uint8Array.from(bytes);
    number.fill(0, 0, zeros);
    number[zeros] = first;
    return number;
  });

test('any two numbers come out as 32 bytes each, however many zeros they begin with', () => {
  fc.assert(
    fc.property(numbers, numbers, (r, s) => {
      expect(Buffer.from(jwsSignatureFrom(sequence(integer(r), integer(s)))).equals(Buffer.concat([r, s]))).toBe(true);
    }),
    { numRuns: count(500, 20_000), seed: SEED },
  );
});

test('of a good encoding no other bytes are taken for it: none left out, none added, none doubled', () => {
  const der = sign('sha256', Buffer.from('a message'), privateKey);
  const expected = Buffer.from(jwsSignatureFrom(der)).toString('hex');
  const outcome = (bytes: Uint8Array): string => {
    try {
      return Buffer.from(jwsSignatureFrom(bytes)).toString('hex');
    } catch (error) {
      return error instanceof Error ? error.name : '';
    }
  };
  expect(outcome(der)).toBe(expected);
  for (let at = 0; at < der.length; at += 1) {
    const around = [der.subarray(0, at), der.subarray(at)] as const;
    expect([at, outcome(around[0])]).toEqual([at, 'Unfit']);
    const changed = [
      Buffer.concat([around[0], Buffer.of(0), around[1]]),
      Buffer.concat([around[0], around[1].subarray(1)]),
    ];
    for (const bytes of changed) expect([at, outcome(bytes)]).toEqual([at, 'Unfit']);
    // Another byte is another number, or no encoding at all; never the same number again.
    for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
      const other = Buffer.from(der);
      if (other[at] === byte) continue;
      other[at] = byte;
      expect([at, byte, outcome(other)]).not.toEqual([at, byte, expected]);
    }
  }
});

const r = integer(Uint8Array.from([...new Array<number>(31).fill(0), 5]));
const long = (byte: number) => Buffer.concat([Buffer.of(2, 33, byte), Buffer.alloc(32, 1)]);

describe('is refused:', () => {
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['one byte', Uint8Array.of(0x30)],
    ['another tag', Buffer.concat([Buffer.of(0x31, 6), r, r])],
    ['a length in the long form', Buffer.concat([Buffer.of(0x30, 0x81, 6), r, r])],
    ['a length without an end', Buffer.concat([Buffer.of(0x30, 0x80), r, r, Buffer.of(0, 0)])],
    ['a byte after the end', Buffer.concat([sequence(r, r), Buffer.of(0)])],
    ['one number', sequence(r)],
    ['three numbers', sequence(r, r, r)],
    ['a number that is a text', sequence(r, Buffer.of(4, 1, 5))],
    ['a number of no bytes', sequence(r, Buffer.of(2, 0))],
    ['a number that ends too late', sequence(r, Buffer.of(2, 2, 5))],
    ['zero', sequence(r, Buffer.of(2, 1, 0))],
    ['a zero of two bytes', sequence(r, Buffer.of(2, 2, 0, 0))],
    ['a negative number', sequence(r, Buffer.of(2, 1, 0x80))],
    ['a zero too many in front', sequence(r, Buffer.of(2, 2, 0, 5))],
    ['a number of 33 bytes', sequence(r, long(1))],
    ['a number of 33 bytes after its zero', sequence(r, Buffer.concat([Buffer.of(2, 34, 0, 0x80), Buffer.alloc(32)]))],
    ['r and s themselves', Buffer.alloc(64, 5)],
  ])('%s', (_what, bytes) => {
    expect(() => jwsSignatureFrom(bytes)).toThrow(expect.objectContaining({ name: 'Unfit' }));
  });

  test('(and the same with a good second number is not)', () => {
    expect(Buffer.from(jwsSignatureFrom(sequence(r, r))).toString('hex')).toMatch(/^(0{62}05){2}$/);
  });
});

describeVectors('the signatures of Wycheproof for P-256', () => {
  test('come out as their authors write them for JWS, where they are two numbers that fit', () => {
    const fitting = ecdsaVectors().filter(
      ({ signature }) =>
        signature.length === 64 &&
        [signature.subarray(0, 32), signature.subarray(32)].every((half) => half.some((byte) => byte > 0)),
    );
    expect(fitting.length).toBeGreaterThan(150);
    for (const { name, signature } of fitting) {
      const der = sequence(integer(signature.subarray(0, 32)), integer(signature.subarray(32)));
      expect([name, Buffer.from(jwsSignatureFrom(der)).equals(signature)]).toEqual([name, true]);
    }
  });
});
