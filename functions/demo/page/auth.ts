/** The client of this page: one, made where everybody can import it. */
import { createClient, webStorage } from 'latchkey-client';
import { recorded } from './requests.ts';

/** Where the refresh token is kept. The page can do both; an application chooses one and is done. */
export const mode = new URLSearchParams(location.search).get('mode') === 'cookie' ? 'cookie' : 'storage';

export const auth = createClient({
  // This script is served by the API itself, one folder below its base URL.
  baseUrl: new URL('..', import.meta.url).href,
  storage: webStorage(),
  fetch: recorded,
});
