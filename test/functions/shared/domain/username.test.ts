import { describe, expect, test } from '@jest/globals';
import { normalPassword, passwordFaults } from '../../../../functions/shared/domain/password-policy.ts';
import { canonicalUsername, lookupName } from '../../../../functions/shared/domain/username.ts';
import { describeVectors, naughtyStrings } from '../../../support/vectors.ts';

describe('a username', () => {
  test('is the same in upper and lower case', () => {
    expect(canonicalUsername('Ada')).toBe('ada');
    expect(canonicalUsername('ADA.Lovelace+x@Example.org')).toBe('ada.lovelace+x@example.org');
    expect(canonicalUsername('ada_l-1')).toBe('ada_l-1');
  });

  test('has 3 to 128 characters', () => {
    expect(canonicalUsername('ab')).toBeUndefined();
    expect(canonicalUsername('abc')).toBe('abc');
    expect(canonicalUsername('a'.repeat(128))).toBe('a'.repeat(128));
    expect(canonicalUsername('a'.repeat(129))).toBeUndefined();
  });

  test.each([
    ['white space', 'ada lovelace'],
    ['white space at an end', 'ada '],
    ['a line end', 'ada\n'],
    ['NUL', 'ada\0'],
    ['a lookalike in fullwidth letters', '\uff41\uff44\uff4d\uff49\uff4e'],
    ['a Cyrillic lookalike', '\u0430dmin'],
    ['a combining accent', 'ada\u0301'],
    ['a dotless i', 'adm\u0131n'],
    ['a Kelvin sign, whose lower case is k', 'ale\u212a'],
    ['a long s, whose upper case is S', 'bo\u017fs'],
    ['a lone surrogate', 'ada\ud800'],
    ['the prefix of a hash', '!abc'],
    ['the separator of our keys', 'USER#1'],
  ])('has no %s', (_, username) => {
    expect(canonicalUsername(username)).toBeUndefined();
  });
});

describe('the name a login is looked up under', () => {
  test('is the canonical username where there can be an account', () => {
    expect(lookupName('ADA')).toBe('ada');
  });

  test('is otherwise a hash of what was sent, which no account can have and which fits into a key', () => {
    const long = lookupName('x'.repeat(16_000));
    expect(long).toMatch(/^![\w-]{43}$/);
    expect(lookupName('x'.repeat(16_000))).toBe(long);
    expect(lookupName('x'.repeat(16_001))).not.toBe(long);
    expect(canonicalUsername(long)).toBeUndefined();
  });
});

describe('a new password', () => {
  /** So many characters from one on, in no pattern. */
  const varied = (length: number, from = 0x61) =>
    Array.from({ length }, (_, at) => String.fromCodePoint(from + ((at * at + 3 * at) % 23))).join('');
  const faults = (password: string, minimum = 15) => passwordFaults(password, 'ada-lovelace.1815', minimum);

  test('has as many characters as the setting says, and 128 at the most', () => {
    expect(faults(varied(14))).toEqual([
      'This password is too short. It must contain at least 15 characters: a few words will do.',
    ]);
    expect(faults(varied(15))).toEqual([]);
    expect(faults(varied(7), 8)).toHaveLength(1);
    expect(faults(varied(8), 8)).toEqual([]);
    expect(faults(varied(128))).toEqual([]);
    expect(faults(varied(129))).toEqual(['This password is too long. It must contain at most 128 characters.']);
  });

  test('is counted in characters, not in bytes or UTF-16 units, and after normalization', () => {
    expect(faults(varied(14, 0x1f511))).toHaveLength(1);
    expect(faults(varied(15, 0x1f511))).toEqual([]);
    expect(faults(varied(128, 0x1f511))).toEqual([]);
    expect(faults(`e\u0301${varied(13)}`)).toHaveLength(1);
    expect(faults(`e\u0301${varied(14)}`)).toEqual([]);
  });

  test('may be made of anything: no rules on composition', () => {
    expect(faults(' \t \n\n \t\t \n \t  \n\t ')).toEqual([]);
    expect(faults('aabababbbaaababba')).toEqual([]);
    expect(faults('\0\u0001\0\0\u0003\u0001\0\0\0\u0003\u0003\0\u0001\0\0')).toEqual([]);
  });

  test('is not the username, in whatever case', () => {
    expect(faults('Ada-Lovelace.1815')).toEqual(['The password is the same as the username.']);
    expect(faults('ada-lovelace.1815 and more')).toEqual([]);
    expect(passwordFaults('not a username!', 'not a username!', 8)).toHaveLength(1);
  });

  test('is well-formed text', () => {
    expect(faults(`${'x'.repeat(20)}\ud800`)).toEqual(['Not a valid string.']);
  });

  test('is the same typed with composed or with combining characters', () => {
    expect(normalPassword('Zu\u0308rich')).toBe(normalPassword('Z\u00fcrich'));
    expect(normalPassword('\u2460')).not.toBe(normalPassword('1'));
  });
});

describeVectors('naughty strings', () => {
  test('never crash the rules for names and passwords, and each name is looked up as one plain word', () => {
    for (const text of naughtyStrings()) {
      expect(lookupName(text)).toMatch(/^(![\w-]{43}|[a-z0-9._@+-]{3,128})$/);
      expect(passwordFaults(text, text, 8)).toBeInstanceOf(Array);
    }
  });
});
