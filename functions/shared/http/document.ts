import { createHash } from 'node:crypto';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Document } from '../domain/document.ts';
import { notModified } from './endpoint.ts';
import { reply } from './reply.ts';
import { headerIn } from './request.ts';

export interface TaggedDocument extends Document {
  /** Changes when the text does (RFC 9110 section 8.8.3). */
  readonly etag: string;
}

/** Hashes the text: make it once, not for every request. */
export const tagged = ({ mediaType, text }: Document): TaggedDocument => ({
  mediaType,
  text,
  etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
});

/**
 * Answers with a document, or with 304 to a caller whose `If-None-Match` names it (RFC 9110 section 13.1.2).
 *
 * @param headers of both answers
 */
export function answerWith(
  event: APIGatewayProxyEvent,
  { mediaType, text, etag }: TaggedDocument,
  headers: Readonly<Record<string, string>>,
): APIGatewayProxyResult {
  const known = (headerIn(event, 'if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) return notModified({ ...headers, ETag: etag });
  return reply(200, text, { 'Content-Type': mediaType, ...headers, ETag: etag });
}
