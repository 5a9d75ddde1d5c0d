/** Looks for key material in whatever anybody but its owner can read. */
import { isMembers } from '../../functions/shared/domain/unknown.ts';

/** The members of a key, a secret or a pepper that are its secret part (RFC 7518 section 6, RFC 8037 section 2, ours). */
const SECRET_MEMBERS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'secret']);

/** So many characters of base64 are no coincidence: 120 bits. */
const SHOWN = 20;

/** One secret value, in every form it could show up in. */
export interface Needle {
  /** Which it is, without its value: `signingKeys.keys.0.privateJwk.d`. */
  readonly name: string;
  readonly forms: readonly string[];
}

/** Every secret value of some texts that secrets hold, by the name of each text. One that is no JSON is secret as a whole. */
export const needlesIn = (secrets: Readonly<Record<string, string>>): readonly Needle[] =>
  Object.entries(secrets).flatMap(([name, text]) => {
    try {
      return [...within(JSON.parse(text), name)];
    } catch {
      return [{ name, forms: [plain(text)] }];
    }
  });

function* within(value: unknown, name: string): Generator<Needle> {
  if (Array.isArray(value)) for (const [at, one] of value.entries()) yield* within(one, `${name}.${at}`);
  if (!isMembers(value)) return;
  for (const [member, one] of Object.entries(value)) {
    if (SECRET_MEMBERS.has(member) && typeof one === 'string') {
      yield { name: `${name}.${member}`, forms: formsOf(one) };
    } else yield* within(one, `${name}.${member}`);
  }
}

/**
 * The start and the end of the value in base64 and hex, wherever it lies in what was encoded (PEM, DER), and of its text in
 * base64 once more (a whole JWK).
 */
function formsOf(text: string): string[] {
  const bytes = Buffer.from(text, 'base64url');
  return [bytes.toString('hex'), ...inBase64(bytes), ...inBase64(Buffer.from(text))].flatMap((form) => [
    form.slice(0, SHOWN),
    form.slice(-SHOWN),
  ]);
}

/** What is the same in base64 whatever lies before and behind, for each of the three ways bytes can fall into its groups. */
const inBase64 = (bytes: Buffer): string[] =>
  [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '');
    return text.slice(before === 0 ? 0 : 4, -2);
  });

/** One alphabet of base64, and no line breaks, escaped ones neither. */
const plain = (text: string): string =>
  text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replaceAll(/\\r|\\n|\s/g, '');

/** Which secrets show in a text; never their values. */
export function secretsIn(text: string, needles: readonly Needle[]): string[] {
  const hay = plain(text);
  const hex = hay.toLowerCase();
  return needles
    .filter(({ forms }) => forms.some((form) => hay.includes(form) || hex.includes(form)))
    .map(({ name }) => name);
}
