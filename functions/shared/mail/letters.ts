import type { Mail } from './mailer.ts';

/** Where an application takes the reader of a mail; `none` where there is no such place. */
type Link = string;

/** What a reader has to do with a token: open a link, or enter it somewhere. Tokens are safe in a URL as they are. */
const instruction = (link: Link, token: string): string =>
  link === 'none' ? `enter this code:\n\n${token}` : `open this link:\n\n${link.replaceAll('{token}', () => token)}`;

/** Asks whether an address is its reader's. */
export const confirmEmail = (to: string, username: string, link: Link, token: string): Mail => ({
  to,
  subject: 'Confirm your email address',
  text: `Somebody, probably you, wants to use this email address for the account "${username}".

To confirm it, within 24 hours, ${instruction(link, token)}

If that was not you, do nothing: the address stays unused.
`,
});

/** Tells the reader of the present address that another one is to take its place, or none. */
export const emailChanging = (to: string, username: string): Mail => ({
  to,
  subject: 'Your email address is being changed',
  text: `Somebody who knows the password, probably you, is taking this email address off the account "${username}".

If that was not you, change your password now: that ends every session and keeps a new address from being confirmed.
`,
});

/** Lets the reader choose a new password. */
export const resetPassword = (to: string, username: string, link: Link, token: string): Mail => ({
  to,
  subject: 'Choose a new password',
  text: `Somebody, probably you, forgot the password of the account "${username}".

To choose a new one, within 30 minutes, ${instruction(link, token)}

If that was not you, do nothing: your password stays as it is.
`,
});

/** Tells that the password is another one by now. */
export const passwordWasReset = (to: string, username: string): Mail => ({
  to,
  subject: 'Your password was changed',
  text: `The password of the account "${username}" was changed with a code that was sent to this address.
Every session has ended.

If that was not you, somebody else reads your mail: secure your mailbox, then choose a new password again.
`,
});

/** Tells that the account is gone. */
export const accountWasDeleted = (to: string, username: string): Mail => ({
  to,
  subject: 'Your account was deleted',
  text: `The account "${username}" was deleted by somebody who knows its password. Nothing is kept of it here.
`,
});
