import type { User } from '../../functions/shared/domain/user.ts';

/** Controls, marks that turn the direction of writing, line separators: what could make a terminal show a lie. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');

/** A text as it can be shown on a terminal. */
export const shown = (text: string): string => text.replace(INVISIBLE, escaped);

/** One line of JSON, with the same characters escaped. */
export const jsonLine = (value: unknown): string => `${shown(JSON.stringify(value))}\n`;

/** What operators see of a user. */
export const summaryOf = ({ username, id, status, displayName, email, roles, createdAt }: User) => ({
  username,
  id,
  status,
  ...(displayName !== undefined && { displayName }),
  ...(email !== undefined && { email }),
  roles,
  createdAt: new Date(createdAt * 1000).toISOString(),
});

/** A session as a line of a table. */
export const sessionRow = (id: string, created: string, used: string, address: string, userAgent: string): string =>
  `${id.padEnd(36)}  ${created.padEnd(20)}  ${used.padEnd(20)}  ${shown(address).padEnd(15)}  ${shown(userAgent)}\n`;

/** A user as a line of a table. */
export const row = (username: string, status: string, created: string, id: string): string =>
  `${shown(username).padEnd(32)}  ${status.padEnd(8)}  ${created.padEnd(24)}  ${id}\n`;
