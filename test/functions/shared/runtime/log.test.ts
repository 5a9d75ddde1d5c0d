import { expect, test } from '@jest/globals';
import { Outage } from '../../../../functions/shared/domain/refusal.ts';
import { log, nameOf } from '../../../../functions/shared/runtime/log.ts';
import { logged } from '../../../support/logged.ts';
import { describeVectors, naughtyStrings } from '../../../support/vectors.ts';

test('a log line is one line of JSON with a time, a level and an event', async () => {
  const { lines } = await logged(() => log('WARN', 'theft', { userId: 'u', count: 2, stale: false, none: undefined }));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]+\n$/);
  const { timestamp, ...rest } = JSON.parse(String(lines[0])) as Record<string, unknown>;
  expect(rest).toEqual({ level: 'WARN', event: 'theft', userId: 'u', count: 2, stale: false });
  expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('an error is named, with its causes, and never quoted', () => {
  const cause = new TypeError('hunter2', { cause: 'hunter2' });
  expect(nameOf(new Outage('secret unreachable', cause))).toBe('Outage < TypeError < string');
  expect(nameOf(new Error('hunter2'))).toBe('Error');
  expect([undefined, null, 'hunter2', { name: 'hunter2' }].map((error) => nameOf(error))).toEqual([
    'undefined',
    'object',
    'string',
    'object',
  ]);
});

test('a chain of causes that leads back to where it began is named for a few steps', () => {
  const error = new Error('x');
  error.cause = error;
  expect(nameOf(error)).toBe('Error < Error < Error < Error < Error < Error');
});

describeVectors('naughty strings', () => {
  test('stay within their line and come out as they went in', async () => {
    for (const text of [...naughtyStrings(), '\ud800', '\0', 'a\r\nb', '\u2028']) {
      const { lines } = await logged(() => log('INFO', 'x', { text }));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^[^\n]+\n$/);
      expect(JSON.parse(String(lines[0]))).toMatchObject({ text });
    }
  });
});
