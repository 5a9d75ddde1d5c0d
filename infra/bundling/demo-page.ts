/** The demo page as its function carries it: one page, and its script, style and icon under names that change with them. */
import { buildSync } from 'esbuild';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document, PageWithFiles } from '../../functions/shared/domain/document.ts';

const FOLDER = join('functions', 'demo', 'page');

const HTML = 'text/html; charset=utf-8';
const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/**
 * Builds the page.
 *
 * @param root folder of the project
 * @throws {Error} where the page does not name one of its files
 */
export function demoPage(root: string): PageWithFiles {
  const { outputFiles } = buildSync({
    entryPoints: ['page.ts', 'page.css', 'icon.svg'].map((name) => join(FOLDER, name)),
    outdir: FOLDER,
    entryNames: '[name]-[hash]',
    bundle: true,
    // What an application gets from npm is built from these sources.
    alias: {
      'latchkey-client': './client/src/latchkey.ts',
      'latchkey-client/cookie': './client/src/cookie.ts',
    },
    loader: { '.svg': 'copy' },
    format: 'esm',
    target: 'es2022',
    minify: true,
    write: false,
    absWorkingDir: root,
    logLevel: 'warning',
  });
  let html = readFileSync(join(root, FOLDER, 'page.html'), 'utf8');
  const files: Record<string, Document> = {};
  for (const { path, text } of outputFiles) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const [, stem, extension] = /^(.+)-\w+\.(\w+)$/.exec(name) ?? [];
    const mediaType = TYPES[extension ?? ''];
    if (stem === undefined || mediaType === undefined)
      throw new Error(`The demo page has a file of a type of its own: ${name}`);
    const source = extension === 'js' ? `${stem}.ts` : `${stem}.${extension ?? ''}`;
    if (!html.includes(`"${source}"`)) throw new Error(`The demo page does not name its file ${source}.`);
    html = html.replaceAll(`"${source}"`, `"{base}/demo/${name}"`);
    files[name] = { mediaType, text };
  }
  return { page: { mediaType: HTML, text: html }, files };
}
