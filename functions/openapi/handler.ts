import { everyPage } from '../shared/http/cors.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { reply } from '../shared/http/reply.ts';

/** The description of the API as a text; put here when the function is bundled (infra/bundling/options.ts). */
declare const OPENAPI_DOCUMENT: string;

const headers = {
  'Content-Type': 'application/json',
  'Cache-Control': 'public, max-age=300',
};

/** It says what is public; any page may read it, whatever origins may call the API. */
export const handler = endpoint(() => reply(200, OPENAPI_DOCUMENT, headers), everyPage);
