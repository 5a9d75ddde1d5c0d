import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { DeviceId, SessionId, UserId } from '../domain/ids.ts';
import type { ClientPrint } from '../domain/session.ts';
import type { ClientPrintMode } from '../domain/settings.ts';

/** A new user id: a random UUID (RFC 9562 section 5.4). */
export const newUserId = (): UserId => randomUUID() as UserId;

/** A new `jti` for an access token. */
export const newTokenId = (): string => randomUUID();

/** A new device id: 128 random bits. */
export const newDeviceId = (): DeviceId => randomBytes(16).toString('base64url') as DeviceId;

/** A new code for a mail: 256 random bits. */
export const newCode = (): string => randomBytes(32).toString('base64url');

/**
 * A new session id: a UUID version 7 (RFC 9562 section 5.7), so that a user's sessions stand in the table in the
 * order of their logins. 74 of its bits are random.
 */
export function newSessionId(): SessionId {
  const bytes = randomBytes(16);
  // In milliseconds, as nothing else of ours is: two logins within a second must not change places.
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.join('-') as SessionId;
}

/** The hash of whoever asks, of as much of them as the setting says. 132 bits: plenty to tell two devices apart. */
export function clientPrint(mode: ClientPrintMode, address: string, userAgent: string): ClientPrint {
  const seen = { none: [], agent: [userAgent], 'address-and-agent': [address, userAgent] }[mode];
  return createHash('sha256').update(JSON.stringify(seen)).digest('base64url').slice(0, 22) as ClientPrint;
}
