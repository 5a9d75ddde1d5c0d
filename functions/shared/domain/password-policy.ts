import { canonicalUsername } from './username.ts';

/** The longest password we take, in characters. The hash covers all of them. */
export const PASSWORD_MAX_CHARACTERS = 128;

/** The form in which passwords are counted, compared and hashed (RFC 8265 section 4.2: NFC). */
export const normalPassword = (password: string): string => password.normalize('NFC');

/**
 * What is wrong with a password somebody wants to have, in plain words; empty where nothing is. No rules on what it
 * is made of (NIST SP 800-63B-4 section 3.1.1.2).
 *
 * @param minimum in characters (code points)
 */
export function passwordFaults(password: string, username: string, minimum: number): readonly string[] {
  if (!password.isWellFormed()) return ['Not a valid string.'];
  const normal = normalPassword(password);
  const length = [...normal].length;
  const faults: string[] = [];
  if (length < minimum) {
    faults.push(`This password is too short. It must contain at least ${minimum} characters: a few words will do.`);
  }
  if (length > PASSWORD_MAX_CHARACTERS) {
    faults.push(`This password is too long. It must contain at most ${PASSWORD_MAX_CHARACTERS} characters.`);
  }
  if (canonicalUsername(normal) !== undefined && canonicalUsername(normal) === canonicalUsername(username)) {
    faults.push('The password is the same as the username.');
  }
  return faults;
}
