import { everyPage } from '../shared/http/cors.ts';
import { answerWith, tagged } from '../shared/http/document.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** The description of the API as a text; put here when the function is bundled (infra/bundling/options.ts). */
declare const OPENAPI_DOCUMENT: string;

const description = tagged({ mediaType: 'application/json', text: OPENAPI_DOCUMENT });

const headers = { 'Cache-Control': 'public, max-age=300' };

/** It says what is public; any page may read it, whatever origins may call the API. */
export const handler = endpoint((event) => answerWith(event, description, headers), everyPage);
