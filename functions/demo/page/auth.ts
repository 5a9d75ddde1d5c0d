/** The client of this page: one, made where everybody can import it. */
import { createClient, webStorage } from 'latchkey-client';
import { createClient as createCookieClient } from 'latchkey-client/cookie';
import { recorded } from './requests.ts';

/** Where the refresh token is kept. The page can do both; an application chooses one, and imports that client alone. */
export const mode = new URLSearchParams(location.search).get('mode') === 'cookie' ? 'cookie' : 'storage';

const options = {
  // This script is served by the API itself, one folder below its base URL.
  baseUrl: new URL('..', import.meta.url).href,
  fetch: recorded,
};

export const auth =
  mode === 'cookie' ? createCookieClient(options) : createClient({ ...options, storage: webStorage() });
