import { membersOfJson, textIn } from '../shared/domain/unknown.ts';
import type { SharedSecret, SigningKey } from '../shared/token/key-ring.ts';
import { ringText } from '../shared/token/new-keys.ts';

/** A ring that may become current, as its secret holds it: with the version that it was made from, to take its place alone. */
export const pendingText = (ring: readonly (SigningKey | SharedSecret)[], madeFrom: string): string =>
  JSON.stringify({ ...membersOfJson(ringText(ring)), madeFrom });

/** The version that a pending ring was made from. @throws {Unfit} where the text does not say */
export const madeFromIn = (text: string): string => textIn(membersOfJson(text), 'madeFrom');
