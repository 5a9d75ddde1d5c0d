/**
 * `npm run common-passwords -- FILE…`: makes functions/shared/domain/common-passwords-data.ts from lists of common
 * passwords, one a line. Only hashes of them are kept, so that no list has to be shipped.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fingerprintOf, packed } from '../../functions/shared/domain/common-passwords.ts';

const DATA = fileURLToPath(new URL('../../functions/shared/domain/common-passwords-data.ts', import.meta.url));

/** The shortest that any policy of ours takes. */
const LEAST_CHARACTERS = 8;

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write('Name the files: npm run common-passwords -- FILE…\n');
  process.exit(2);
}
const passwords = files
  .flatMap((file) => readFileSync(file, 'utf8').split(/\r?\n/))
  .filter((password) => [...password].length >= LEAST_CHARACTERS);
writeFileSync(
  DATA,
  `/**
 * Fingerprints of ${new Set(passwords).size} common passwords of 8 characters and more: for each least length of 8, 12 and 15 the 3,000
 * most common in the 10-million list that SecLists ships. Made by \`npm run common-passwords\`.
 */
export const COMMON_PASSWORDS =
  '${packed(passwords.map(fingerprintOf))}';
`,
);
