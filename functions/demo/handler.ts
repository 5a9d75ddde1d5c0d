import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { PageWithFiles } from '../shared/domain/document.ts';
import { tagged } from '../shared/http/document.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { pageAnswers } from '../shared/http/page.ts';

/** The page, whose links begin with {@link BASE}, and its files; put here when the function is bundled (infra/bundling/demo-page.ts). */
declare const DEMO_PAGE: PageWithFiles;

/** Stands in the page where the API's own base path goes. */
const BASE = '{base}';

const answer = pageAnswers(DEMO_PAGE.files, ["img-src 'self'", "require-trusted-types-for 'script'"]);

export const handler = endpoint((event) => answer(event, pageBelow(basePath(event))));

const pageBelow = (base: string) => tagged({ ...DEMO_PAGE.page, text: DEMO_PAGE.page.text.replaceAll(BASE, base) });

/**
 * What stands before the API's own paths, a stage or a base path: `/v1`. Not left to relative links, which `…/v1` without a
 * slash at its end would lead astray.
 */
function basePath(event: APIGatewayProxyEvent): string {
  const [base = ''] = /^(?:\/[\w.~-]+)*/.exec(event.requestContext.path) ?? [];
  return base;
}
