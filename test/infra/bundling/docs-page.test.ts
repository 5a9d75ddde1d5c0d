import { expect, test } from '@jest/globals';
import { docsPage } from '../../../infra/bundling/docs-page.ts';

const { page, files } = docsPage();
const addresses = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address!);

test('the page loads exactly the files that there are, by addresses that hold below any stage and base path', () => {
  const loaded = addresses.filter((address) => address.startsWith('docs/')).map((address) => address.slice(5));
  expect(loaded.toSorted()).toEqual(Object.keys(files).toSorted());
  expect(addresses.filter((address) => !address.startsWith('docs/'))).toEqual(['data:,', 'openapi.json']);
});

test('it has no script, style or handler within it, which its policy would not let run', () => {
  expect(page.text).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]* src=)/);
});

test('each file is named for its text and says what it is', () => {
  for (const [name, { mediaType, text }] of Object.entries(files)) {
    expect(name).toMatch(/^[a-z-]+-[0-9a-f]{16}\.(css|js|txt)$/);
    expect(mediaType).toMatch(/^text\/(css|javascript|plain); charset=utf-8$/);
    // Lambda's answers end at 6 MB.
    expect(Buffer.byteLength(JSON.stringify(text))).toBeLessThan(3_000_000);
    expect(text).not.toContain('sourceMappingURL');
  }
});

test('no style asks for anything from elsewhere', () => {
  const styles = Object.entries(files).filter(([name]) => name.endsWith('.css'));
  expect(styles).toHaveLength(2);
  for (const [, { text }] of styles) {
    expect([...text.matchAll(/url\((?!["']?data:)[^)]*\)|@import|@font-face/g)]).toEqual([]);
  }
});

test('the licences of what is handed on are handed on', () => {
  const [licences] = Object.entries(files).filter(([name]) => name.startsWith('licences-'));
  for (const words of ['Apache License', 'SmartBear Software', 'MIT']) expect(licences?.[1].text).toContain(words);
});
