import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../../functions/shared/domain/refusal.ts';
import { stringsIn } from '../../../../functions/shared/http/body.ts';
import { apiEvent, type Request } from '../../../support/events.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' };

/** What is read of a request, or the reason it is refused for, with the fields that are named. */
function outcomeOf(request: Request): unknown {
  try {
    return stringsIn(apiEvent(request), 'username', 'password');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.reason === 'invalid-fields' ? error.fields : error.reason;
  }
}

const ofJson = (body: string) => outcomeOf({ headers: JSON_TYPE, body });
const ofForm = (body: string) => outcomeOf({ headers: FORM_TYPE, body });
const ofBytes = (bytes: Uint8Array, headers = JSON_TYPE) =>
  outcomeOf({ headers, body: Buffer.from(bytes).toString('base64'), isBase64Encoded: true });

const good = { username: 'ada', password: 'secret' };

describe('a body', () => {
  test('is JSON or a form, as a text or as bytes', () => {
    expect(outcomeOf({ json: good })).toEqual(good);
    expect(outcomeOf({ form: good })).toEqual(good);
    expect(ofBytes(Buffer.from(JSON.stringify(good)))).toEqual(good);
    expect(ofBytes(Buffer.from('username=ada&password=secret'), FORM_TYPE)).toEqual(good);
  });

  test('may say more than is asked for, none of which is handed on', () => {
    expect(outcomeOf({ json: { ...good, admin: true, list: [{}] } })).toEqual(good);
    expect(ofForm('username=ada&password=secret&admin=1')).toEqual(good);
  });

  test('is not trimmed or changed in any way', () => {
    const strange = { username: ' Ada\t\r\n', password: '\u00e9 e\u0301 \u{1f511} \u2028 \ufeff "\\' };
    expect(outcomeOf({ json: strange })).toEqual(strange);
    expect(outcomeOf({ form: strange })).toEqual(strange);
  });

  test.each([
    ['null', { body: null }],
    ['empty', { body: '' }],
    ['empty bytes', { body: '', isBase64Encoded: true }],
    ['an empty form', { form: {} }],
    ['an empty object', { json: {} }],
    ['empty and of no known type', { body: '', headers: { 'Content-Type': 'text/plain' } }],
  ])('that is %s lacks every field', (_, request) => {
    expect(outcomeOf(request)).toEqual({
      username: ['This field is required.'],
      password: ['This field is required.'],
    });
  });
});

describe('a field', () => {
  const REQUIRED = 'This field is required.';
  const NO_STRING = 'Not a valid string.';

  test.each([
    ['missing', '{"password":"x"}', REQUIRED],
    ['null', '{"username":null,"password":"x"}', 'This field may not be null.'],
    ['blank', '{"username":"","password":"x"}', 'This field may not be blank.'],
    ['a number', '{"username":1,"password":"x"}', NO_STRING],
    ['a huge number', '{"username":1e400,"password":"x"}', NO_STRING],
    ['true', '{"username":true,"password":"x"}', NO_STRING],
    ['false', '{"username":false,"password":"x"}', NO_STRING],
    ['a list', '{"username":["ada"],"password":"x"}', NO_STRING],
    ['an object', '{"username":{"$ne":""},"password":"x"}', NO_STRING],
    ['with NUL', '{"username":"a\\u0000b","password":"x"}', 'Null characters are not allowed.'],
    ['with half a surrogate pair', '{"username":"a\\ud800","password":"x"}', NO_STRING],
    ['with the other half', '{"username":"\\udc00a","password":"x"}', NO_STRING],
    ['with the halves in the wrong order', '{"username":"\\udc00\\ud800","password":"x"}', NO_STRING],
    ['inherited', '{"__proto__":{"username":"ada"},"password":"x"}', REQUIRED],
    ['written in another case', '{"Username":"ada","password":"x"}', REQUIRED],
  ])('that is %s is named, with what is wrong', (_, body, message) => {
    expect(ofJson(body)).toEqual({ username: [message] });
  });

  test('is named together with the others, in the order of the fields', () => {
    const fields = ofJson('{"password":null,"username":""}');
    expect(fields).toEqual({ username: ['This field may not be blank.'], password: ['This field may not be null.'] });
    expect(Object.keys(Object(fields) as object)).toEqual(['username', 'password']);
  });

  test('may have any name, also that of a method', () => {
    const event = apiEvent({ json: { a: 'x' } });
    expect(() => stringsIn(event, 'toString')).toThrow(expect.objectContaining({ reason: 'invalid-fields' }));
    expect(stringsIn(apiEvent({ headers: JSON_TYPE, body: '{"__proto__":"x"}' }), '__proto__')).toHaveProperty(
      '__proto__',
      'x',
    );
  });

  test('of a form is wrong in the same ways', () => {
    expect(ofForm('password=x')).toEqual({ username: [REQUIRED] });
    expect(ofForm('username=&password=x')).toEqual({ username: ['This field may not be blank.'] });
    expect(ofForm('username&password=x')).toEqual({ username: ['This field may not be blank.'] });
    expect(ofForm('username=%00&password=x')).toEqual({ username: ['Null characters are not allowed.'] });
  });
});

describe('a content type', () => {
  const of = (type: string) => outcomeOf({ headers: { 'Content-Type': type }, body: JSON.stringify(good) });

  test.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF8',
    'application/json; charset="utf-8"',
    'application/json; charset=utf-8; profile=x',
    ' application/json ;',
  ])('is taken where it is %j', (type) => {
    expect(of(type)).toEqual(good);
  });

  test.each([
    'text/plain',
    'text/json',
    'application/jsonp',
    'application/json-patch+json',
    'application/problem+json',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/json, text/plain',
    'json',
    '*/*',
    ';',
    '',
    '\0',
    '__proto__',
  ])('is refused where it is %j', (type) => {
    expect(of(type)).toBe('unsupported-media-type');
  });

  test('is refused where there is none', () => {
    expect(outcomeOf({ body: JSON.stringify(good) })).toBe('unsupported-media-type');
  });

  test.each(['content-type', 'CONTENT-TYPE', 'Content-Type', 'cOnTeNt-TyPe'])('may be called %s', (name) => {
    expect(outcomeOf({ headers: { [name]: 'application/json' }, body: JSON.stringify(good) })).toEqual(good);
  });

  test('is shown to whoever sent it, cut after 100 characters', () => {
    const event = apiEvent({ headers: { 'Content-Type': `x/${'y'.repeat(200)}` }, body: 'x' });
    expect(() => stringsIn(event, 'a')).toThrow(expect.objectContaining({ shown: `x/${'y'.repeat(98)}` }));
  });

  test('that is a form does not make a form of JSON', () => {
    expect(ofForm(JSON.stringify(good))).toEqual({
      username: ['This field is required.'],
      password: ['This field is required.'],
    });
  });
});

describe('JSON', () => {
  test.each(['x', '{', '{"username":"ada"', "{'username':'ada'}", '{"a":1,}', '{} {}', '\ufeff{}', '{"a":NaN}', '\0'])(
    'is not %j',
    (body) => {
      expect(ofJson(body)).toBe('malformed-body');
    },
  );

  test.each([
    ['null', 'NoneType'],
    ['[]', 'list'],
    ['[{"username":"ada"}]', 'list'],
    ['"ada"', 'str'],
    ['1', 'int'],
    ['true', 'bool'],
  ])('must be an object, which %s is not', (body, kind) => {
    const event = apiEvent({ headers: JSON_TYPE, body });
    expect(() => stringsIn(event, 'a')).toThrow(
      expect.objectContaining({
        reason: 'not-an-object',
        fields: { non_field_errors: [`Invalid data. Expected a dictionary, but got ${kind}.`] },
      }),
    );
  });

  test.each([
    '{"username":"ada","username":"bob","password":"x"}',
    '{"username":"ada","username":"ada","password":"x"}',
    '{"username":"ada","\\u0075sername":"bob","password":"x"}',
    '{"username":"ada","password":"x","other":1,"other":2}',
    '{"username":"ada","password":"x","":1,"":2}',
    '{"username":"ada","password":"x","__proto__":1,"__proto__":2}',
    '{ "a" : {"b":[1]} , "c" : "d:e" , "a" : null }',
  ])('says nothing twice: %s', (body) => {
    expect(ofJson(body)).toBe('malformed-body');
  });

  test.each([
    '{"username":"ada","password":"secret","a":{"b":1,"c":{"b":2}},"b":[{"b":1},{"b":2}]}',
    '{"username":"ada","password":"secret","a":"username","b":"a:b"}',
    '{"username":"ada","password":"secret","a":"\\"username\\":\\"x\\"","x\\\\":"{\\\\"}',
    '{"username":"ada","password":"secret","Username":"bob"}',
  ])('may use a word again in another place: %s', (body) => {
    expect(ofJson(body)).toEqual(good);
  });

  test('may be nested 8,000 levels deep and does no harm', () => {
    const lists = `${'['.repeat(8_000)}${']'.repeat(8_000)}`;
    expect(ofJson(lists)).toBe('not-an-object');
    expect(ofJson(`{"username":${lists},"password":"x"}`)).toEqual({ username: ['Not a valid string.'] });
    const objects = `${'{"a":'.repeat(2_700)}1${'}'.repeat(2_700)}`;
    expect(ofJson(objects)).toHaveProperty('username');
    expect(ofJson('['.repeat(16_000))).toBe('malformed-body');
  });
});

describe('a form', () => {
  test('is decoded once', () => {
    expect(ofForm('username=a%2Bb+c%20d&password=%2525')).toEqual({ username: 'a+b c d', password: '%25' });
    expect(ofForm('username=a=b==&password=x')).toEqual({ username: 'a=b==', password: 'x' });
    expect(ofForm('user%6eame=ada&password=secret')).toEqual(good);
    expect(ofForm('&&username=ada&&password=secret&')).toEqual(good);
    expect(ofForm('username=%F0%9F%94%91&password=x')).toEqual({ username: '\u{1f511}', password: 'x' });
  });

  test.each(['username=%', 'username=%4', 'username=%zz', '%=x', 'username=%ff', 'username=%C0%80', 'a=%ED%A0%80'])(
    'is not %j',
    (body) => {
      expect(ofForm(body)).toBe('malformed-body');
    },
  );

  test.each(['username=ada&username=bob', 'username=ada&user%6eame=ada', 'a=1&a=2&username=ada', '=1&=2'])(
    'says nothing twice: %s',
    (body) => {
      expect(ofForm(body)).toBe('malformed-body');
    },
  );

  test('has no prototype to set', () => {
    expect(ofForm('__proto__=x&username=ada&password=secret')).toEqual(good);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe('bytes', () => {
  const ofBase64 = (body: string) => outcomeOf({ headers: JSON_TYPE, body, isBase64Encoded: true });
  const encoded = Buffer.from(JSON.stringify({ ...good, pad: '' })).toString('base64');

  test('(these, so that what follows is refused for what it changes)', () => {
    expect(ofBase64(encoded)).toEqual(good);
    expect(encoded).toMatch(/=$/);
  });

  test.each([
    ['an unknown character', `!${encoded}`],
    ['white space', `${encoded.slice(0, 4)}\n${encoded.slice(4)}`],
    ['no padding', encoded.replaceAll('=', '')],
    ['too much padding', `${encoded}=`],
    ['padding in the middle', `${encoded}${encoded}`],
    ['the URL alphabet', Buffer.from('???>>>').toString('base64url')],
    ['a length that base64 never has', 'A'],
    ['only padding', '===='],
    ['JSON', JSON.stringify(good)],
  ])('are not base64 with %s', (_, body) => {
    expect(ofBase64(body)).toBe('malformed-body');
  });

  test.each([
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['an overlong NUL', Buffer.from([0x22, 0xc0, 0x80, 0x22])],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['half a character', Buffer.from([0x22, 0xf0, 0x9f, 0x22])],
    ['a byte order mark', Buffer.from('\ufeff{"username":"ada","password":"secret"}')],
    ['UTF-16', Buffer.from(JSON.stringify(good), 'utf16le')],
  ])('are not %s', (_, bytes) => {
    expect(ofBytes(bytes)).toBe('malformed-body');
  });
});

describe('the size', () => {
  /** JSON of so many bytes, filled up with a character of one, two or four of them. */
  const ofSize = (size: number, fill = 'x') => {
    const empty = JSON.stringify({ ...good, pad: '' });
    const room = size - Buffer.byteLength(empty);
    const width = Buffer.byteLength(fill);
    return JSON.stringify({ ...good, pad: fill.repeat(Math.floor(room / width)) + 'x'.repeat(room % width) });
  };

  test.each(['x', 'é', '\u{1f511}'])('is 16,384 bytes at the most, filled with %j, as a text or as base64', (fill) => {
    expect(Buffer.byteLength(ofSize(16_384, fill))).toBe(16_384);
    expect(ofJson(ofSize(16_384, fill))).toEqual(good);
    expect(ofBytes(Buffer.from(ofSize(16_384, fill)))).toEqual(good);
    expect(ofJson(ofSize(16_385, fill))).toBe('body-too-large');
    expect(ofBytes(Buffer.from(ofSize(16_385, fill)))).toBe('body-too-large');
    expect(ofBytes(Buffer.from(ofSize(16_386, fill)))).toBe('body-too-large');
    expect(ofBytes(Buffer.from(ofSize(16_387, fill)))).toBe('body-too-large');
  });

  test('is looked at before anything else: a megabyte of any kind is too much', () => {
    expect(ofJson(ofSize(1_000_000))).toBe('body-too-large');
    expect(ofBytes(Buffer.alloc(1_000_000))).toBe('body-too-large');
    expect(outcomeOf({ body: 'x'.repeat(1_000_000), headers: { 'Content-Type': 'text/plain' } })).toBe(
      'body-too-large',
    );
    expect(outcomeOf({ body: '!'.repeat(1_000_000), isBase64Encoded: true })).toBe('body-too-large');
  });
});
