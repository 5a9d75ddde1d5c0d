import type { APIGatewayProxyEvent } from 'aws-lambda';
import { everyPage } from '../shared/http/cors.ts';
import { endpoint, notModified } from '../shared/http/endpoint.ts';
import { reply } from '../shared/http/reply.ts';
import { headerIn } from '../shared/http/request.ts';
import { readEnv } from '../shared/runtime/env.ts';
import { parameter } from '../shared/runtime/secrets.ts';
import { keySetFrom } from '../shared/token/public-keys.ts';
import { CACHED_FOR_SECONDS, keySetDocument, metadataDocument, type Document } from './documents.ts';

const env = readEnv('ISSUER', 'PUBLIC_KEYS_PARAMETER');

const keySet = parameter(env.PUBLIC_KEYS_PARAMETER, (text) => keySetDocument(keySetFrom(text)));
const metadata = metadataDocument(env.ISSUER);

/** Public keys are for every origin, whatever origins may call the API; so is the news that they cannot be had. */
export const handler = endpoint(
  async (event) => answer(event, event.resource.endsWith('/jwks.json') ? await keySet() : metadata),
  everyPage,
);

function answer(event: APIGatewayProxyEvent, { mediaType, text, etag }: Document) {
  const headers = { 'Cache-Control': `public, max-age=${CACHED_FOR_SECONDS}`, ETag: etag };
  const known = (headerIn(event, 'if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) return notModified(headers);
  return reply(200, text, { 'Content-Type': mediaType, ...headers });
}
