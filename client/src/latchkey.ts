/** What applications import. */
export { createClient, type ClientOptions } from './client.ts';
export type { ApiOptions, Client, Credentials } from './common.ts';
export { LatchkeyError, type Trouble } from './errors.ts';
export type { Members, Pair } from './held.ts';
export type { Session } from './session.ts';
export {
  memoryStorage,
  webStorage,
  type Locks,
  type SessionStorage,
  type WebPage,
  type WebStorage,
} from './storage.ts';
