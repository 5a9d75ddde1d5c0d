import { ageSince, type Life } from './freshness.ts';

/** The two tokens of a session. */
export interface Pair {
  readonly access: string;
  readonly refresh: string;
  /** By which the server knows this device at the next login; only a login brings one. */
  readonly device_token?: unknown;
}

/** An access token in use. What the client reads in it it does not trust: only servers decide by a token. */
export interface Token extends Life {
  readonly access: string;
  readonly userId: string | undefined;
  readonly sessionId: string | undefined;
}

/** A pair in use. */
export interface Held extends Token {
  readonly refresh: string;
}

/** A text of the storage; null for nothing. */
export type Kept = string | null | undefined;

/** The members of a JSON object, none of which is checked yet. */
export type Members = Readonly<Record<string, unknown>>;

/**
 * What is kept of a pair that arrives now, or where a session ends, of none: with the device token of before, where no newer
 * one came.
 */
export const textOf = (
  before: Kept,
  { access, refresh, device_token = deviceIn(before) }: Partial<Pair> = {},
): string | null => (access || device_token ? JSON.stringify({ access, refresh, at: Date.now(), device_token }) : null);

export const deviceIn = (text: Kept): unknown => membersOf(() => text ?? '')['device_token'];

/** What was kept. @returns undefined for nothing, and for what this client never wrote */
export function heldFrom(text: Kept): Held | undefined {
  const members = membersOf(() => text ?? '');
  const pair = pairIn(members);
  return pair && { ...tokenOf(pair.access, members['at']), refresh: pair.refresh };
}

/** A pair in the members of an answer. */
export const pairIn = ({ access, refresh, device_token }: Members): Pair | undefined =>
  isText(access) && access && isText(refresh) ? { access, refresh, device_token } : undefined;

/** An access token that arrived at a time, in milliseconds since 1970. */
export function tokenOf(access: string, at: unknown): Token {
  // Not verified. What `atob` throws comes to the same as no claims.
  const { sub, sid, iat, exp } = membersOf(() =>
    atob((access.split('.')[1] ?? '').replace(/[-_]/g, (sign) => (sign < '0' ? '+' : '/'))),
  );
  return {
    access,
    userId: textIn(sub),
    sessionId: textIn(sid),
    // The server's clock is compared with itself alone. A token that cannot be read is good until a server says no.
    lifetime: (Number(exp) - Number(iat)) * 1000 || Infinity,
    age: ageSince(Number(at) || 0),
  };
}

/** The members of a JSON object; none of anything else, or where it cannot be read. */
export function membersOf(read: () => string): Members {
  try {
    return { ...(JSON.parse(read()) as object) };
  } catch {
    return {};
  }
}

export const textIn = (value: unknown): string | undefined => (isText(value) ? value : undefined);

export const isText = (value: unknown): value is string => typeof value === 'string';
