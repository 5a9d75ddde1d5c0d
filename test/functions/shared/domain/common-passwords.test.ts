import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import {
  fingerprintOf,
  isCommonPassword,
  packed,
  unpacked,
} from '../../../../functions/shared/domain/common-passwords.ts';
import { passwordFaults } from '../../../../functions/shared/domain/password-policy.ts';
import { commonPasswords, describeVectors } from '../../../support/vectors.ts';

describe('packing', () => {
  test('gives back every fingerprint, the smallest and the largest', () => {
    const all = [0, 1, 127, 128, 129, 16_383, 16_384, 2 ** 31, 2 ** 32 - 1, 2 ** 32 - 1];
    expect([...unpacked(packed(all))]).toEqual([...new Set(all)]);
    expect([...unpacked(packed([]))]).toEqual([]);
    expect([...unpacked(packed([2 ** 32 - 1]))]).toEqual([2 ** 32 - 1]);
  });
});

describeVectors('the list of common passwords', () => {
  test.each([8, 12, 15])(
    'has the 3,000 most common ones of %i characters and more, in any case of letters',
    (least) => {
      const passwords = commonPasswords(least);
      expect(passwords).toHaveLength(3_000);
      expect(passwords.filter((password) => !isCommonPassword(password))).toEqual([]);
      expect(passwords.filter((password) => !isCommonPassword(password.toUpperCase()))).toEqual([]);
      const refused = passwords.filter((password) => passwordFaults(password, 'ada', least).length > 0);
      expect(refused).toHaveLength(3_000);
    },
  );

  test('takes no pass-phrase of four words for one, of 20,000', () => {
    const words = commonPasswords(8).map((password) => password.toLowerCase());
    const wordAt = (seed: string) => words[createHash('sha256').update(seed).digest().readUInt32BE(0) % words.length]!;
    const phrases = Array.from({ length: 20_000 }, (_, at) =>
      [1, 2, 3, 4].map((word) => wordAt(`${at} ${word}`)).join(' '),
    );
    expect(phrases.filter((phrase) => passwordFaults(phrase, 'ada', 15).length > 0 && phrase.length <= 128)).toEqual(
      [],
    );
  });
});

describe('a password of the policy’s length', () => {
  const faultsOf = (password: string, username = 'ada', least = 15) => passwordFaults(password, username, least);
  const PATTERN = ['This password is one pattern again and again. A few words that do not belong together will do.'];
  const MOSTLY = ['The password is mostly the username. Choose something that has nothing to do with it.'];

  test.each([
    'aaaaaaaaaaaaaaaaaaaa',
    'abcabcabcabcabcabc',
    'Ab1Ab1Ab1Ab1Ab1Ab1',
    'abcdefghijklmnopqrst',
    'zyxwvutsrqponmlkjih',
    '0123456789012345678',
    '🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑',
  ])('is refused where it is one pattern: %s', (password) => {
    expect(faultsOf(password)).toEqual(PATTERN);
  });

  test.each([
    'correct horse battery staple',
    'xkcd-936-xkcd-936-and-more',
    'ab cd ef gh ij kl',
    '密码密码 密码 horse 电池',
  ])('is taken where it is none: %s', (password) => {
    expect(faultsOf(password)).toEqual([]);
  });

  test('is refused where it is little more than the username, up to half of the least length', () => {
    expect(faultsOf('lovelace1234567', 'lovelace')).toEqual(MOSTLY);
    expect(faultsOf('Lovelace-LoveLace-7', 'lovelace')).toEqual(MOSTLY);
    expect(faultsOf('lovelace 1234567', 'lovelace')).toEqual([]);
    expect(faultsOf('the ada in canada 7', 'ada')).toEqual([]);
    expect(faultsOf('whatever goes here', '')).toEqual([]);
  });

  test('that is common says so and what would do', () => {
    expect(faultsOf('1qaz2wsx3edc4rfv')).toEqual([
      'This password is too common: many people use it. A few words that do not belong together will do.',
    ]);
    expect(fingerprintOf('ＰＡＳＳＷＯＲＤ')).toBe(fingerprintOf('password'));
  });
});
