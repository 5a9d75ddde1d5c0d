/** The page at `/docs` and everything that it loads: Swagger UI as its makers ship it, and a script and styles of ours. */
import { transformSync } from 'esbuild';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Document, PageWithFiles } from '../../functions/shared/domain/document.ts';

const MEDIA_TYPES = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
} as const;

/** Reads them all. Addresses are relative, since the page stands below a stage or a base path. */
export function docsPage(): PageWithFiles {
  const files: Record<string, Document> = {};
  const add = (name: string, type: keyof typeof MEDIA_TYPES, text: string): string => {
    // By what it says, so that it may be kept for ever and a new version has a new name.
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const file = `${name}-${hash}.${type}`;
    files[file] = { mediaType: MEDIA_TYPES[type], text };
    return `docs/${file}`;
  };
  const text = page({
    viewerStyle: add('swagger-ui', 'css', withoutMap(ofViewer('swagger-ui.css'))),
    style: add('page', 'css', transformSync(ours('page.css'), { loader: 'css', minify: true }).code),
    viewer: add('swagger-ui', 'js', withoutMap(ofViewer('swagger-ui-bundle.js'))),
    script: add('page', 'js', transformSync(ours('page.ts'), { loader: 'ts', minify: true }).code),
    licences: add('licences', 'txt', licences()),
  });
  return { page: { mediaType: 'text/html; charset=utf-8', text }, files };
}

const page = (at: Readonly<Record<'viewerStyle' | 'style' | 'viewer' | 'script' | 'licences', string>>): string => `\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    <title>Latchkey: reference of the API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${at.viewerStyle}">
    <link rel="stylesheet" href="${at.style}">
    <script defer src="${at.viewer}"></script>
    <script defer src="${at.script}"></script>
  </head>
  <body>
    <div id="reference">
      <noscript><p>This page needs JavaScript. All of it is also in <a href="openapi.json">openapi.json</a>.</p></noscript>
    </div>
    <footer>
      <p>Shown with Swagger UI (<a href="${at.licences}">licences</a>). Nothing on this page comes from or goes to another site.</p>
    </footer>
  </body>
</html>
`;

/** What Apache-2.0 section 4 and the licences of what is in the viewer's bundle ask to hand on. */
const licences = () =>
  ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt'].map(ofViewer).join(`\n\n${'-'.repeat(72)}\n\n`);

const ours = (name: string): string =>
  readFileSync(new URL(`../../functions/docs/page/${name}`, import.meta.url), 'utf8');
const ofViewer = (name: string): string =>
  readFileSync(new URL(import.meta.resolve(`swagger-ui-dist/${name}`)), 'utf8');
/** Developer tools would look for a map that is not served. */
const withoutMap = (text: string): string =>
  text.replace(/\n?(?:\/\*|\/\/)# sourceMappingURL=\S+(?: ?\*\/)?\s*$/, '\n');
