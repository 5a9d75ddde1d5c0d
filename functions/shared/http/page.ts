import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { PageWithFiles } from '../domain/document.ts';
import { Refusal } from '../domain/refusal.ts';
import { answerWith, tagged, type TaggedDocument } from './document.ts';

type Headers = Readonly<Record<string, string>>;

/**
 * What a browser is told of a page on which people type passwords: scripts and styles from here alone and none within the
 * page, requests to here alone, so that what is typed cannot leave this origin, and no other page may frame it.
 *
 * @param more directives of its policy beyond those
 */
const hardened = (more: readonly string[]): Headers => ({
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    ...more,
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
});

/**
 * Answers with a page, or with the file of it that the path parameter `file` names.
 *
 * @param policy further directives of the page's Content-Security-Policy: where its images come from
 */
export function pageAnswers(
  files: PageWithFiles['files'],
  policy: readonly string[],
): (event: APIGatewayProxyEvent, page: TaggedDocument) => APIGatewayProxyResult {
  const headers = hardened(policy);
  const byName = new Map(Object.entries(files).map(([name, file]) => [name, tagged(file)]));
  return (event, page) => {
    const name = event.pathParameters?.['file'];
    // Asked for anew every time, since after a deployment it may name other files.
    if (name === undefined) return answerWith(event, page, { ...headers, 'Cache-Control': 'no-cache' });
    const file = byName.get(name);
    if (file === undefined) throw new Refusal('not-found');
    return answerWith(event, file, { ...headers, 'Cache-Control': 'public, max-age=31536000, immutable' });
  };
}
