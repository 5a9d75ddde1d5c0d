import { ageSince, type Life } from './freshness.ts';

/** The two tokens of a session. */
export interface Pair {
  readonly access: string;
  /** Empty where the browser keeps it in a cookie. */
  readonly refresh: string;
  /** By which the server knows this device at the next login; only a login brings one. */
  readonly device_token?: unknown;
}

/** A pair in use. What the client reads in its access token it does not trust: only servers decide by a token. */
export interface Held extends Pair, Life {
  readonly userId: string | undefined;
  readonly sessionId: string | undefined;
}

/** A text of the storage; null for nothing. */
export type Kept = string | null | undefined;

/** The members of a JSON object, none of which is checked yet. */
export type Members = Readonly<Record<string, unknown>>;

/** A pair that arrives now, as it is kept; with the device token of before where it brings none. */
export const textOf = ({ access, refresh, device_token }: Pair, before: Kept): string =>
  JSON.stringify({ access, refresh, at: Date.now(), device_token: device_token ?? deviceIn(before) });

/** What stays when a session ends. */
export const restOf = (before: Kept): string | null => {
  const device_token = deviceIn(before);
  return device_token ? JSON.stringify({ device_token }) : null;
};

export const deviceIn = (text: Kept): unknown => membersOf(() => text ?? '')['device_token'];

/** What was kept. @returns undefined for nothing, and for what this client never wrote */
export function heldFrom(text: Kept): Held | undefined {
  const members = membersOf(() => text ?? '');
  const pair = pairIn('', members);
  if (!pair) return undefined;
  const { sub, sid, iat, exp } = membersOf(() => payloadOf(pair.access));
  return {
    ...pair,
    userId: textIn(sub),
    sessionId: textIn(sid),
    // The server's clock is compared with itself alone. A token that cannot be read is good until a server says no.
    lifetime: (Number(exp) - Number(iat)) * 1000 || Infinity,
    age: ageSince(Number(members['at']) || 0),
  };
}

/** A pair in the members of an answer. @param blank what will do for a refresh token where there is none */
export const pairIn = (
  blank: string | undefined,
  { access, refresh = blank, device_token }: Members,
): Pair | undefined => (isText(access) && access && isText(refresh) ? { access, refresh, device_token } : undefined);

/** The members of a JSON object; none of anything else, or where it cannot be read. */
export function membersOf(read: () => string): Members {
  try {
    return { ...(JSON.parse(read()) as object) };
  } catch {
    return {};
  }
}

/** The claims of a JWT, not verified. @throws what `atob` throws */
const payloadOf = (jwt: string): string =>
  atob((jwt.split('.')[1] ?? '').replace(/[-_]/g, (sign) => (sign < '0' ? '+' : '/')));

const textIn = (value: unknown): string | undefined => (isText(value) ? value : undefined);

const isText = (value: unknown): value is string => typeof value === 'string';
