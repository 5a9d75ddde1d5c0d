import { pairIn, type Pair } from './held.ts';

/** One call of the token routes. */
export interface Call {
  readonly path: string;
  readonly body: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether cookies go along; `omit` unless told. */
  readonly credentials?: 'include' | 'same-origin' | 'omit';
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** How the refresh token travels. What it is called with as `refresh` is what {@link Transport.pairIn} found before. */
export interface Transport {
  login(credentials: Credentials): Call;
  refresh(refresh: string): Call;
  logout(refresh: string): Call;
  /** The pair in an answer. @returns undefined for what is no answer of the server's */
  pairIn(answer: Readonly<Record<string, unknown>>): Pair | undefined;
}

/** In the body both ways, as Simple JWT has it. */
export const inBody: Transport = {
  login: ({ username, password }) => ({ path: '/api/token', body: { username, password } }),
  refresh: (refresh) => ({ path: '/api/token/refresh', body: { refresh } }),
  logout: (refresh) => ({ path: '/api/token/blacklist', body: { refresh } }),
  pairIn,
};
