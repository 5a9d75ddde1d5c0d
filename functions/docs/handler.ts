import { Refusal } from '../shared/domain/refusal.ts';
import { answerWith, tagged, type Document } from '../shared/http/document.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** The page, and what it loads by name; put here when the function is bundled (infra/bundling/options.ts). */
declare const DOCS: { readonly page: Document; readonly files: Readonly<Record<string, Document>> };

const page = tagged(DOCS.page);
const files = new Map(Object.entries(DOCS.files).map(([name, file]) => [name, tagged(file)]));

const EVERY_ANSWER = {
  // Scripts and styles from here alone and none within the page, and requests to nowhere else: what is tried out on the
  // page, passwords and tokens included, cannot leave this origin. The icons of the style sheet are `data:`.
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
/** Asked for anew every time, since after a deployment it may name other files. */
const PAGE = { ...EVERY_ANSWER, 'Cache-Control': 'no-cache' };
/** Names change with what the files say. */
const FILE = { ...EVERY_ANSWER, 'Cache-Control': 'public, max-age=31536000, immutable' };

export const handler = endpoint((event) => {
  const name = event.pathParameters?.['file'];
  if (name === undefined) return answerWith(event, page, PAGE);
  const file = files.get(name);
  if (file === undefined) throw new Refusal('not-found');
  return answerWith(event, file, FILE);
});
