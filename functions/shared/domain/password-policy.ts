import { isCommonPassword } from './common-passwords.ts';
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
  } else if (isMostly(normal, username, minimum)) {
    faults.push('The password is mostly the username. Choose something that has nothing to do with it.');
  }
  if (isPattern(normal)) {
    faults.push('This password is one pattern again and again. A few words that do not belong together will do.');
  } else if (isCommonPassword(normal)) {
    faults.push('This password is too common: many people use it. A few words that do not belong together will do.');
  }
  return faults;
}

/** Whether next to a username there is too little left for a password: less than half of the least length. */
function isMostly(password: string, username: string, minimum: number): boolean {
  const name = username.toLowerCase();
  if (name.length < SHORTEST_TELLING_NAME) return false;
  const rest = password.toLowerCase().replaceAll(name, '');
  return rest.length < password.length && [...rest].length < minimum / 2;
}

/** Shorter names stand in ordinary words. */
const SHORTEST_TELLING_NAME = 4;

/** The longest piece whose repetition is a pattern, such as `abc` in `abcabcabcabcabc`. */
const LONGEST_PIECE = 5;

/** Whether a password is one short piece repeated, or runs up or down the alphabet or the digits. */
function isPattern(password: string): boolean {
  const codes = [...password.toLowerCase()].map((character) => character.codePointAt(0) ?? 0);
  for (let piece = 1; piece <= LONGEST_PIECE; piece += 1) {
    if (codes.length >= 3 * piece && codes.every((code, at) => code === codes[at % piece])) return true;
  }
  const steps = codes.slice(1).map((code, at) => code - (codes[at] ?? 0));
  return [1, -1].some((step) => steps.filter((each) => each === step).length >= steps.length * 0.8 && steps.length > 0);
}
