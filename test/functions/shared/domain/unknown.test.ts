import { describe, expect, test } from '@jest/globals';
import {
  isMembers,
  listIn,
  listOfTexts,
  membersOf,
  membersOfJson,
  optional,
  textIn,
  textsIn,
  timeIn,
  Unfit,
  wholeNumberIn,
  type Members,
} from '../../../../functions/shared/domain/unknown.ts';
import { Outage, Refusal } from '../../../../functions/shared/domain/refusal.ts';

const SECRET = 'hunter2';

const readers: Record<string, (from: Members, name: string) => unknown> = {
  textIn,
  wholeNumberIn,
  timeIn,
  textsIn,
  listIn,
};

describe('a text of JSON', () => {
  test('gives the object it holds', () => {
    expect(membersOfJson('{"a":1}')).toEqual({ a: 1 });
  });

  test.each(['', SECRET, `{"a":${SECRET}}`, '\ufeff{}', '{} {}', 'null', '[]', '1', `"${SECRET}"`, 'true'])(
    'is refused where it is %j, without being quoted',
    (text) => {
      expect(() => membersOfJson(text)).toThrow(Unfit);
      expect(() => membersOfJson(text)).not.toThrow(SECRET);
    },
  );

  test('may be nested as deep as it likes', () => {
    expect(isMembers(membersOfJson(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`))).toBe(true);
  });

  test('keeps a member called __proto__ a member', () => {
    const members = membersOfJson('{"__proto__":{"sub":"x"}}');
    expect(Object.keys(members)).toEqual(['__proto__']);
    expect(() => textIn(members, 'sub')).toThrow(Unfit);
  });
});

describe('a member', () => {
  test.each(Object.keys(readers))('that is missing, null or of another type is unfit for %s, by name', (reader) => {
    for (const value of [undefined, null, true, {}, Symbol.iterator]) {
      expect(() => readers[reader]?.({ a: value }, 'a')).toThrow(Unfit);
    }
    expect(() => readers[reader]?.({}, 'a')).toThrow(Unfit);
    expect(() => readers[reader]?.({ a: { secret: SECRET } }, 'a')).not.toThrow(SECRET);
  });

  test('is never an inherited one', () => {
    expect(() => textIn(Object.create({ a: 'x' }) as Members, 'a')).toThrow(Unfit);
    expect(optional({}, 'toString', textIn)).toBeUndefined();
  });

  test('that is a text is not empty', () => {
    expect(textIn({ a: ' ' }, 'a')).toBe(' ');
    expect(() => textIn({ a: '' }, 'a')).toThrow('a is no text');
    expect(() => textIn({ a: 1 }, 'a')).toThrow('a is no text');
  });

  test('that is a number is whole and exact', () => {
    expect(wholeNumberIn({ a: -1 }, 'a')).toBe(-1);
    expect(wholeNumberIn({ a: Number.MAX_SAFE_INTEGER }, 'a')).toBe(Number.MAX_SAFE_INTEGER);
    for (const value of [0.5, NaN, Infinity, 1e400, 2 ** 53, '1', 1n]) {
      expect(() => wholeNumberIn({ a: value }, 'a')).toThrow('a is no whole number');
    }
  });

  test('that is a time is not before 1970', () => {
    expect(timeIn({ a: 0 }, 'a')).toBe(0);
    expect(() => timeIn({ a: -1 }, 'a')).toThrow('a is no time');
    expect(() => timeIn({ a: 1.5 }, 'a')).toThrow(Unfit);
  });

  test('that is a list has only texts, or only objects', () => {
    expect(textsIn({ a: ['x', ''] }, 'a')).toEqual(['x', '']);
    expect(listOfTexts([])).toEqual([]);
    expect(() => listOfTexts(['x', 1])).toThrow(Unfit);
    expect(() => listOfTexts('x')).toThrow(Unfit);
    expect(listIn({ a: [{}, { b: 1 }] }, 'a')).toEqual([{}, { b: 1 }]);
    expect(() => listIn({ a: [{}, 'x'] }, 'a')).toThrow(Unfit);
  });

  test('that is optional may be absent but not unfit', () => {
    expect(optional({}, 'a', textIn)).toBeUndefined();
    expect(optional({ a: 'x' }, 'a', textIn)).toBe('x');
    expect(() => optional({ a: null }, 'a', textIn)).toThrow(Unfit);
  });

  test('of an object: neither a list nor null is one', () => {
    expect(membersOf({ a: 1 })).toEqual({ a: 1 });
    expect([null, [], 'x', 1, undefined].some(isMembers)).toBe(false);
  });
});

describe('what we throw', () => {
  test('a refusal says its reason and nothing that was sent', () => {
    const refusal = new Refusal('unsupported-media-type', { shown: SECRET, fields: { [SECRET]: [SECRET] } });
    expect(refusal.message).toBe('unsupported-media-type');
    expect(new Refusal('token-forged')).toMatchObject({ name: 'Refusal', fields: {}, shown: '' });
  });

  test('an outage keeps its cause but not in its message', () => {
    const outage = new Outage('secret unreachable', new Error(SECRET));
    expect(outage.message).toBe('secret unreachable');
    expect(outage).toMatchObject({ name: 'Outage', cause: { message: SECRET } });
  });
});
