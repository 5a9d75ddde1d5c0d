import { canonicalEmail } from '../domain/email.ts';
import type { UserId } from '../domain/ids.ts';

/*
 * Names under which attempts are counted. Each has a space in it, which no username has: no login can raise them.
 */

/** Wrong guesses at the current password, by somebody who is logged in. */
export const guessesOf = (userId: UserId): string => `password ${userId}`;

/** Mails that a user had sent to confirm an address. */
export const confirmationsOf = (userId: UserId): string => `confirmations ${userId}`;

/** Mails that were sent to an address to confirm it, whoever asked. */
export const confirmationsTo = (address: string): string => `confirmations to ${canonicalEmail(address)}`;

/** Resets that were asked for an address, whether an account has it or not. */
export const resetsTo = (address: string): string => `resets to ${canonicalEmail(address)}`;

/** Resets that were asked for from one place. @param caller its network address */
export const resetsFrom = (caller: string): string => `resets from ${caller}`;
