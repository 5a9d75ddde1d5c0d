import { describe, expect, test } from '@jest/globals';
import { displayNameFaults, emailFaults } from '../../../../functions/shared/domain/profile-fields.ts';

describe('a display name', () => {
  test.each(['A', 'Ada L.', '田中さん', '👩‍👩‍👧', 'x'.repeat(150), '𝒳'.repeat(150)])('may be %j', (name) => {
    expect(displayNameFaults(name)).toEqual([]);
  });

  test.each([
    ['', 'This field may not be blank.'],
    [' \u3000', 'This field may not be blank.'],
    ['x'.repeat(151), 'Ensure this field has no more than 150 characters.'],
    ['a\u0007b', 'Control characters are not allowed.'],
    ['a\nb', 'Control characters are not allowed.'],
    ['\ud800', 'Not a valid string.'],
  ])('may not be %j', (name, fault) => {
    expect(displayNameFaults(name)).toEqual([fault]);
  });
});

describe('an email address', () => {
  const longest = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;

  test.each(['a@b.co', "o'neil+tag@mail.example.com", longest])('may be %s', (email) => {
    expect(emailFaults(email)).toEqual([]);
  });

  test('has 254 characters at the most', () => {
    expect(longest).toHaveLength(254);
    expect(emailFaults(`${longest}d`)).toEqual(['Ensure this field has no more than 254 characters.']);
  });

  test.each([
    '',
    'a',
    'a@b',
    '@b.co',
    'a@',
    'a b@c.de',
    'a@b..co',
    'a@-b.co',
    'a@b.co\n',
    'a@b@c.de',
    'ü@b.co',
    '<a@b.co>',
  ])('may not be %j', (email) => {
    expect(emailFaults(email)).toEqual(['Enter a valid email address.']);
  });
});
