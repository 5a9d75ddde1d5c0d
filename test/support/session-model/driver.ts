/**
 * What the session model drives. There is one user, who has any number of devices; time stands still unless it is set.
 * `in-memory.ts` implements it with the operations themselves over items in memory, `through-handlers.ts` with the
 * handlers on a real engine. Tokens are opaque to the model: it tells them apart by their text alone.
 */

/** The text of a refresh or an access token. */
export type Token = string;

export interface Pair {
  readonly access: Token;
  readonly refresh: Token;
}

/** What a client gets to see: a pair, a 401, or a 503. */
export type Answer = { readonly kind: 'pair'; readonly pair: Pair } | { readonly kind: 'refused' | 'unavailable' };

/**
 * A call of the store that a step let through: the user was read, the session was written, or a write of the session
 * found its condition false. What a lost call did to the store counts, not what the function heard of it.
 */
export type StoreCall = 'user-read' | 'written' | 'not-written';

export interface Step {
  /** In order. Empty in the step that only brings the answer. */
  readonly calls: readonly StoreCall[];
  /** In the step that made it known. */
  readonly answer?: Answer;
  /** Whether nothing is left to do. A write can be left where a 503 went out before it. */
  readonly over: boolean;
}

/** A refresh that reached its function, has read the clock, and waits before its first call of the store. */
export interface Underway {
  /** Lets one call of the store through. */
  step(): Promise<Step>;
}

/** What happens to a refresh between its function and the store. */
export interface Weather {
  /** Which of the two parallel calls gets there first. */
  readonly first: 'user' | 'session';
  /**
   * `user-unreachable`: the user cannot be read. `heard-twice`: the answer to a write gets lost, and the store's client
   * sends the write again.
   */
  readonly fault: 'none' | 'user-unreachable' | 'heard-twice';
}

export interface SessionsUnderTest {
  /** Unix seconds, from this moment on. */
  setClock(now: number): void;
  /** @param client stands for an address and a user agent */
  login(client: string): Promise<Pair>;
  present(refresh: Token, client: string, weather: Weather): Promise<Underway>;
  /** Whether `POST /api/token/verify` says yes, to a token of either kind. */
  verify(token: Token, client: string): Promise<boolean>;
  logOut(refresh: Token): Promise<void>;
  /** Ends every session of the user. @param by of a session that stands; without it, an operator does it */
  logOutEverywhere(by?: Token): Promise<void>;
  /** Ends every session of the user but the one that asks. @param by of a session that stands */
  logOutOthers(by: Token): Promise<void>;
  /** @param by of a session that stands @returns the pair of the one session that is left, a new one */
  changePassword(by: Token, client: string): Promise<Pair>;
  setActive(active: boolean): Promise<void>;
  /** Remembers the session of a token as it is in the store. */
  backUp(refresh: Token): Promise<Backup>;
}

export interface Backup {
  /** Puts the session back into the store as it was. */
  restore(): Promise<void>;
}

/** How long the sessions under test live, in seconds. Short, so that schedules reach the ends. */
export const LIFETIMES = { idle: 3_600, absolute: 7_200, access: 900 };

/** When every run begins. */
export const START = 1_700_000_000;
