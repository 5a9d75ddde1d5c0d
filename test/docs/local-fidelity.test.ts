import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(ROOT, 'docs', 'local-fidelity.md'), 'utf8');

/** The rows of every table: what it is about, there, here, and what holds it. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:-|point )/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

/** Tests named `file › title` in a cell. */
const testsIn = (cell = '') =>
  [...cell.matchAll(/`([^`›]+) › ([^`]+)`/g)].map(([, file = '', title = '']) => [file, title] as const);

function sourceOf(file: string): string {
  const path = file.startsWith('test/') ? file : `test/infra/local/${file}`;
  const found = [`${path}.test.ts`, `${path}/events.test.ts`]
    .map((one) => join(ROOT, one))
    .find((one) => existsSync(one));
  return found === undefined ? '' : readFileSync(found, 'utf8');
}

/** Whether a file has a test of a title; `%s` stands as it does there. */
const hasTest = (source: string, title: string) => [`'${title}',`, `\`${title}\`,`].some((one) => source.includes(one));

test('every row says what AWS does, what happens here, and what holds it', () => {
  expect(rows.length).toBeGreaterThan(70);
  for (const row of rows) {
    expect(row).toHaveLength(4);
    expect(row.every((cell) => cell !== '')).toBe(true);
  }
  const points = rows.map(([point]) => point);
  expect(points.filter((point, at) => points.indexOf(point) !== at)).toEqual([]);
});

test('every row is held by a test or called a difference with its consequence', () => {
  const open = rows.filter(
    ([, , , held = '']) => testsIn(held).length === 0 && !/^\*\*difference\*\*: \S.{5,}/.test(held),
  );
  expect(open).toEqual([]);
});

test('every test that the page names is there', () => {
  const named = rows.flatMap(([, , , held]) => testsIn(held));
  const missing = named.filter(([file, title]) => !hasTest(sourceOf(file), title));
  expect(named.length).toBeGreaterThan(60);
  expect(missing).toEqual([]);
});

test('every file that the page names is there', () => {
  const named = [...page.matchAll(/`((?:test|infra)\/[\w/.-]+\.ts)`/g)].map(([, file = '']) => file);
  expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
