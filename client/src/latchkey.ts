/** What applications import. */
export { createClient, type Client, type ClientOptions, type Session } from './client.ts';
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
export type { Call, Credentials, Transport } from './transport.ts';
