import type { Pair } from './held.ts';

/** Whether somebody is logged in here. The same object until that changes. */
export type Session =
  /** Storage was not read yet, or could not be; in cookie mode: the server was not asked yet, or did not answer. */
  | { readonly status: 'unknown' }
  | { readonly status: 'in'; readonly userId: string | undefined; readonly sessionId: string | undefined }
  /** `logout` was called here, the session was ended `elsewhere` (another tab), or the server `refused` it. */
  | { readonly status: 'out'; readonly reason: 'none' | 'logout' | 'elsewhere' | 'refused' };

export type LoggedOut = Extract<Session, { status: 'out' }>['reason'];

export interface ApiOptions {
  /** Of the Latchkey API: `https://auth.example.com`. Its origin gets the access token. */
  readonly baseUrl: string;
  /** Further origins that take its access tokens: `https://api.example.com`. No other ever sees one. */
  readonly origins?: readonly string[];
  /** What sends requests; the platform's own unless told. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface Passwords {
  readonly current_password: string;
  readonly new_password: string;
}

export interface Client {
  /** Whether somebody is logged in, as far as is known at this moment. */
  readonly session: Session;
  /** Reads storage, if that was not done yet. @throws {LatchkeyError} `unavailable` where it cannot be read */
  ready(): Promise<Session>;
  /** Called whenever {@link Client.session} changes, in this tab or by another. @returns what stops it */
  subscribe(listener: (session: Session) => void): () => void;
  /**
   * Logs in. It is tried once: each try counts against the password's guesses.
   *
   * @throws {LatchkeyError} `refused` with the server's problem, `unavailable`, or `ended` where `logout` or another login
   *   came before the answer
   */
  login(credentials: Credentials): Promise<Session>;
  /**
   * Changes the password: every other session of the user ends, and this one begins anew. Tried once, as a login is.
   *
   * @throws {LatchkeyError} like `login`
   */
  changePassword(passwords: Passwords): Promise<Session>;
  /** Takes a pair that another answer carried: that of a changed password. */
  adopt(pair: Pair): Promise<Session>;
  /**
   * Ends the session: here at once and whatever happens, on the server if it can be reached.
   *
   * @throws whatever storage threw when it was told to forget; the session is over for this client all the same
   */
  logout(): Promise<void>;
  /**
   * The platform's `fetch` with the access token, for paths of the API and URLs of the trusted origins; anything else goes
   * out as it is. Gets a new token before the old one ends, and once more after a 401.
   *
   * @throws {LatchkeyError} `unavailable` where there is no valid token to be had now, `ended` where the session ended
   *   before the request went out; and what the platform's `fetch` throws
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** An access token that is valid now, for what is no `fetch`. @returns undefined where nobody is logged in */
  accessToken(): Promise<string | undefined>;
  /** Listens to other tabs no more. */
  close(): void;
}
