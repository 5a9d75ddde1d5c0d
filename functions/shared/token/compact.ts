import { Refusal } from '../domain/refusal.ts';
import { membersOfBytes, textIn } from '../domain/unknown.ts';

/** The header every token of ours has, and nothing else. */
export interface TokenHeader {
  readonly alg: string;
  readonly typ: string;
  readonly kid: string;
}

/** Ours are about 600 bytes; a megabyte would be hashed before it is refused. */
const MAX_TOKEN_CHARACTERS = 8_192;

const SEGMENT = /^[A-Za-z0-9_-]+$/;

/**
 * Reads a token's header after the checks that `jose` leaves out: length, three segments of canonical base64url
 * (RFC 7515 section 2: no white space, no padding; RFC 4648 section 3.5: no stray bits), exactly our header members.
 *
 * @throws {Refusal} `token-malformed`
 */
export function headerOf(token: string): TokenHeader {
  if (token.length > MAX_TOKEN_CHARACTERS) throw new Refusal('token-malformed');
  const segments = token.split('.');
  const [header] = segments;
  if (header === undefined || segments.length !== 3 || !segments.every(isCanonical)) {
    throw new Refusal('token-malformed');
  }
  try {
    const members = membersOfBytes(Buffer.from(header, 'base64url'));
    if (Object.keys(members).length !== 3) throw new Refusal('token-malformed');
    return { alg: textIn(members, 'alg'), typ: textIn(members, 'typ'), kid: textIn(members, 'kid') };
  } catch {
    throw new Refusal('token-malformed');
  }
}

const isCanonical = (segment: string): boolean =>
  SEGMENT.test(segment) && Buffer.from(segment, 'base64url').toString('base64url') === segment;
