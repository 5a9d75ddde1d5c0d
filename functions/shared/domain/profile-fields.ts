/** In characters (code points). */
export const DISPLAY_NAME_MAX_CHARACTERS = 150;

/** Of an address as it can be sent (RFC 5321 section 4.5.3.1.3, less the brackets). */
export const EMAIL_MAX_CHARACTERS = 254;

/** The rule of HTML's `<input type="email">`, which browsers apply, and a dot in the domain. ASCII only. */
const EMAIL =
  /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$/;

/** What is wrong with a display name; empty where nothing is. */
export function displayNameFaults(name: string): readonly string[] {
  if (name.trim() === '') return ['This field may not be blank.'];
  if (!name.isWellFormed()) return ['Not a valid string.'];
  if (/\p{Cc}/u.test(name)) return ['Control characters are not allowed.'];
  return tooLong(name, DISPLAY_NAME_MAX_CHARACTERS);
}

/** What is wrong with an email address; empty where nothing is. Whether it receives mail, only a mail can tell. */
export function emailFaults(email: string): readonly string[] {
  const faults = tooLong(email, EMAIL_MAX_CHARACTERS);
  return faults.length > 0 || EMAIL.test(email) ? faults : ['Enter a valid email address.'];
}

const tooLong = (text: string, most: number): readonly string[] =>
  [...text].length > most ? [`Ensure this field has no more than ${most} characters.`] : [];
