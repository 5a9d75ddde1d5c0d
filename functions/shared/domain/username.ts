import { createHash } from 'node:crypto';

const USERNAME = /^[A-Za-z0-9._@+-]{3,128}$/;

/** What may stand in a username, in words for the one who chose it. */
export const USERNAME_RULE =
  'Enter a valid username: 3 to 128 characters, only letters a to z, digits and the characters . _ @ + -';

/** What is wrong with a username somebody wants to have; empty where nothing is. */
export const usernameFaults = (username: string): readonly string[] =>
  canonicalUsername(username) === undefined ? [`${USERNAME_RULE}.`] : [];

/**
 * The one form in which a username is unique: ASCII, letters in lower case. Other scripts are refused rather
 * than mapped (RFC 8265 allows a stricter profile), so no fullwidth, Cyrillic or combined lookalike of `admin`
 * can become a second one.
 *
 * @returns undefined for a text that no account can have
 */
export const canonicalUsername = (username: string): string | undefined =>
  USERNAME.test(username) ? username.toLowerCase() : undefined;

/**
 * The name under which a login is looked up: the canonical username, or for a text that no account can have, a hash
 * that no canonical username can be, so that it costs the same calls and fits into a key.
 */
export const lookupName = (username: string): string =>
  canonicalUsername(username) ?? `!${createHash('sha256').update(username, 'utf8').digest('base64url')}`;
