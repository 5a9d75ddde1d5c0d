/** What applications import. */
export type { ApiOptions, Client, Credentials, Passwords, Session } from './api.ts';
export { createClient, type ClientOptions } from './client.ts';
export { LatchkeyError, type Trouble } from './errors.ts';
export type { Members, Pair } from './held.ts';
export {
  memoryStorage,
  webStorage,
  type Locks,
  type SessionStorage,
  type WebPage,
  type WebStorage,
} from './storage.ts';
