import { describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { cookiesIn, setCookie, withCookies } from '../../../../functions/shared/http/cookies.ts';
import { json } from '../../../../functions/shared/http/reply.ts';
import { apiEvent } from '../../../support/events.ts';

const NAME = '__Host-token';
const TOKEN = 'eyJ.a-_.b';
const read = (headers: Record<string, string | string[]>) => cookiesIn(apiEvent({ headers }), NAME);

describe('a cookie', () => {
  test.each<[string, Record<string, string | string[]>]>([
    ['alone', { Cookie: `${NAME}=${TOKEN}` }],
    ['among others', { cookie: `a=b; ${NAME}=${TOKEN}; c=d` }],
    ['without spaces', { COOKIE: `a=b;${NAME}=${TOKEN};c=d` }],
    ['with more of them', { Cookie: `a=b; \t ${NAME}=${TOKEN};` }],
    ['in one of several headers', { cookie: ['a=b', `${NAME}=${TOKEN}`, 'c=d'] }],
    ['in headers of two spellings', { Cookie: 'a=b', cookie: `${NAME}=${TOKEN}` }],
    [
      'beside names that only look like it',
      { Cookie: `x${NAME}=1; ${NAME}x=2; ${NAME}=${TOKEN}; __host-token=3; ${NAME}` },
    ],
  ])('is found %s', (_where, headers) => {
    expect(read(headers)).toEqual([TOKEN]);
  });

  test('has everything behind its first equals sign for a value, as it was sent', () => {
    expect(read({ Cookie: `${NAME}=a=b%20"c"` })).toEqual(['a=b%20"c"']);
    expect(read({ Cookie: `${NAME}=` })).toEqual(['']);
  });

  test('that is there twice is found twice, in one header or in two', () => {
    expect(read({ Cookie: `${NAME}=1; ${NAME}=2` })).toEqual(['1', '2']);
    expect(read({ Cookie: [`${NAME}=1`, `${NAME}=2`] })).toEqual(['1', '2']);
    expect(read({ Cookie: `${NAME}=1`, cookie: `${NAME}=1` })).toEqual(['1', '1']);
  });

  test('is not one of another name, whatever a subdomain may put before it', () => {
    // A browser has no rule for these names, so that anybody may set them; some servers cut such characters off.
    for (const before of ['\u00a0', '\u2000', '\u2028', '\ufeff', '\v', '\f', '"', '$Version=1,', '=', '.']) {
      expect(read({ Cookie: `a=b; ${before}${NAME}=evil` })).toEqual([]);
    }
  });

  test('is not there where nothing is, also where there are no headers at all', () => {
    expect(read({})).toEqual([]);
    expect(read({ Cookie: '' })).toEqual([]);
    const bare = { ...apiEvent({}), headers: null, multiValueHeaders: null } as unknown as APIGatewayProxyEvent;
    expect(cookiesIn(bare, NAME)).toEqual([]);
  });

  test('is read in no time, however the header was made', () => {
    const began = performance.now();
    for (const one of [';', ' ', '=', `${NAME}=`, `${NAME}=;`, '"']) read({ Cookie: one.repeat(10_240 / one.length) });
    // A rule that went back over what it read would take seconds for each.
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe('an answer that sets cookies', () => {
  test('has each in a header of its own, beside the other headers', () => {
    const plain = json(200, {});
    const cookies = [setCookie(NAME, 'a', 60), setCookie('__Host-other', 'b', 0)];
    expect(withCookies(plain, cookies)).toEqual({ ...plain, multiValueHeaders: { 'Set-Cookie': cookies } });
  });

  test('keeps a cookie from scripts, other sites and other hosts, for its time', () => {
    const attributes = 'Path=/; Secure; HttpOnly; SameSite=Strict';
    expect(setCookie(NAME, TOKEN, 60)).toBe(`${NAME}=${TOKEN}; ${attributes}; Max-Age=60`);
    expect(setCookie(NAME, '', -1)).toBe(`${NAME}=; ${attributes}; Max-Age=0`);
  });
});
