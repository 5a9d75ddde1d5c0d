import { everyPage } from '../shared/http/cors.ts';
import { answerWith, tagged } from '../shared/http/document.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { readEnv } from '../shared/runtime/env.ts';
import { parameter } from '../shared/runtime/secrets.ts';
import { keySetFrom } from '../shared/token/public-keys.ts';
import { CACHED_FOR_SECONDS, keySetDocument, metadataDocument } from './documents.ts';

const env = readEnv('ISSUER', 'PUBLIC_KEYS_PARAMETER');

const keySet = parameter(env.PUBLIC_KEYS_PARAMETER, (text) => tagged(keySetDocument(keySetFrom(text))));
const metadata = tagged(metadataDocument(env.ISSUER));

const headers = { 'Cache-Control': `public, max-age=${CACHED_FOR_SECONDS}` };

/** Public keys are for every origin, whatever origins may call the API; so is the news that they cannot be had. */
export const handler = endpoint(
  async (event) => answerWith(event, event.resource.endsWith('/jwks.json') ? await keySet() : metadata, headers),
  everyPage,
);
