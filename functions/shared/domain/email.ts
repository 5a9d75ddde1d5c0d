/**
 * The one form in which an address is unique. Letters in lower case, in the local part too: it may mean two mailboxes by
 * RFC 5321 section 2.4, and no provider of note lets it.
 */
export const canonicalEmail = (address: string): string => address.toLowerCase();
