import type { PageWithFiles } from '../shared/domain/document.ts';
import { tagged } from '../shared/http/document.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { pageAnswers } from '../shared/http/page.ts';

/** The page and its files; put here when the function is bundled (infra/bundling/docs-page.ts). */
declare const DOCS: PageWithFiles;

const page = tagged(DOCS.page);
// The icons of the viewer's style sheet are `data:`.
const answer = pageAnswers(DOCS.files, ["img-src 'self' data:"]);

export const handler = endpoint((event) => answer(event, page));
