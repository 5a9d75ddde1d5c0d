/** In characters (code points). */
export const DISPLAY_NAME_MAX_CHARACTERS = 150;

/** Of an address as it can be sent (RFC 5321 section 4.5.3.1.3, less the brackets). */
export const EMAIL_MAX_CHARACTERS = 254;

/** The rule of HTML's `<input type="email">`, which browsers apply, and a dot in the domain. ASCII only. */
const EMAIL =
  /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$/;

/** What is wrong with a display name; undefined where nothing is. */
export function displayNameFault(name: string): string | undefined {
  if (name.trim() === '') return 'This field may not be blank.';
  if (!name.isWellFormed()) return 'Not a valid string.';
  if (/\p{Cc}/u.test(name)) return 'Control characters are not allowed.';
  return tooLong(name, DISPLAY_NAME_MAX_CHARACTERS);
}

/** What is wrong with an email address; undefined where nothing is. Whether it receives mail, only a mail can tell. */
export const emailFault = (email: string): string | undefined =>
  tooLong(email, EMAIL_MAX_CHARACTERS) ?? (EMAIL.test(email) ? undefined : 'Enter a valid email address.');

const tooLong = (text: string, most: number): string | undefined =>
  [...text].length > most ? `Ensure this field has no more than ${most} characters.` : undefined;
