import { expect, test } from '@jest/globals';
import { stringsIn } from '../../../../functions/shared/http/body.ts';
import { endpoint } from '../../../../functions/shared/http/endpoint.ts';
import { json } from '../../../../functions/shared/http/reply.ts';
import { apiEvent } from '../../../support/events.ts';
import { logged } from '../../../support/logged.ts';
import { describeVectors, jsonTexts, naughtyStrings } from '../../../support/vectors.ts';

const handler = endpoint((event) => json(200, stringsIn(event, 'field')));

/** What is answered to a body, as bytes or as the text a gateway would make of them. */
async function answersTo(bytes: Buffer, type = 'application/json') {
  const headers = { 'Content-Type': type };
  const asText = apiEvent({ headers, body: bytes.toString('utf8') });
  const asBytes = apiEvent({ headers, body: bytes.toString('base64'), isBase64Encoded: true });
  const { value, lines } = await logged(() => Promise.all([handler(asText), handler(asBytes)]));
  const contents = value.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  return {
    statuses: value.map(({ statusCode }) => statusCode),
    contents,
    lines,
    headers: value.map((one) => one.headers),
  };
}

/** One line each for what was refused, and in it nothing of what was sent. */
function expectClean(lines: readonly string[], refused: number, sent: string): void {
  expect(lines).toHaveLength(refused);
  for (const line of lines) {
    expect(line).toMatch(/^[^\n]+\n$/);
    expect(Object.keys(JSON.parse(line) as object)).toEqual([
      'timestamp',
      'level',
      'event',
      'requestId',
      'route',
      'address',
      'reason',
    ]);
    if (sent.trim().length > 6) expect(line).not.toContain(sent.trim());
  }
}

describeVectors('the bodies of JSONTestSuite', () => {
  test('are a 400 each, as a text and as bytes, for none has the field that is asked for', async () => {
    expect(jsonTexts().length).toBeGreaterThanOrEqual(340);
    for (const { name, bytes } of jsonTexts()) {
      const { statuses, contents, lines, headers } = await answersTo(bytes);
      const expected = bytes.length > 16_384 ? 413 : 400;
      expect({ name, statuses }).toEqual({ name, statuses: [expected, expected] });
      expect(headers).toEqual(Array(2).fill(expect.objectContaining({ 'Content-Type': 'application/problem+json' })));
      expect(contents).toEqual(Array(2).fill(expect.objectContaining({ status: expected })));
      expectClean(lines, 2, bytes.toString('utf8'));
    }
  });

  test('are as forms never more than a 400 either', async () => {
    for (const { name, bytes } of jsonTexts()) {
      const { statuses } = await answersTo(bytes, 'application/x-www-form-urlencoded');
      expect({ name, known: statuses.every((status) => [400, 413].includes(status)) }).toEqual({ name, known: true });
    }
  });

  test('are as the value of the field taken exactly as they are, or refused', async () => {
    for (const { name, bytes } of jsonTexts()) {
      const body = Buffer.concat([Buffer.from('{"field":'), bytes, Buffer.from('}')]);
      const { statuses, contents } = await answersTo(body);
      for (const [index, status] of statuses.entries()) {
        if (status !== 200) expect({ name, known: [400, 413].includes(status) }).toEqual({ name, known: true });
        else expect(contents[index]).toEqual({ field: JSON.parse(bytes.toString('utf8')) as unknown });
      }
      if (name.startsWith('y_string_') && !/null|noncharacter|surrogate|empty/i.test(name)) {
        const text = JSON.parse(bytes.toString('utf8')) as unknown;
        const isText = typeof text === 'string' && text !== '' && !text.includes('\0');
        expect({ name, statuses }).toEqual({ name, statuses: isText ? [200, 200] : [400, 400] });
      }
    }
  });
});

describeVectors('the big list of naughty strings', () => {
  test('comes back exactly as it was sent, from JSON and from forms, for a blank is the only one that may not be', async () => {
    expect(naughtyStrings()).toHaveLength(515);
    for (const field of naughtyStrings()) {
      for (const [type, body] of [
        ['application/json', JSON.stringify({ field })],
        ['application/x-www-form-urlencoded', new URLSearchParams({ field }).toString()],
      ] as const) {
        const { statuses, contents, lines } = await answersTo(Buffer.from(body), type);
        expect({ field, statuses }).toEqual({ field, statuses: field === '' ? [400, 400] : [200, 200] });
        if (field !== '') expect(contents).toEqual([{ field }, { field }]);
        expectClean(lines, field === '' ? 2 : 0, field);
      }
    }
  });

  test('is as a whole body or as a content type a 4xx, and no log says more than why', async () => {
    for (const text of naughtyStrings()) {
      const { statuses, lines } = await answersTo(Buffer.from(text));
      expect({ text, statuses }).toEqual({ text, statuses: [400, 400] });
      expectClean(lines, 2, text);
      const typed = await answersTo(Buffer.from('x'), text);
      expect({ text, statuses: typed.statuses }).toEqual({ text, statuses: [415, 415] });
      expect(typed.contents[0]).toMatchObject({ detail: `Unsupported media type "${text.slice(0, 100)}" in request.` });
      expectClean(typed.lines, 2, text);
    }
  });
});
