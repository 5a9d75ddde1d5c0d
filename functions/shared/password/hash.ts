import { createHmac } from 'node:crypto';
import bcrypt from 'bcryptjs';
import { normalPassword } from '../domain/password-policy.ts';
import type { Clock } from '../domain/time.ts';
import { foreignHashIn } from './foreign.ts';
import { keyNamed, keySigningAt, type RingOf, type SharedSecret } from '../token/key-ring.ts';

/** Makes and checks password hashes. */
export interface Passwords {
  /** The hash of a password in the current scheme, with a new salt. */
  hash(password: string): Promise<string>;
  /** Whether a password is the one that was hashed, by us or by another system. A text that is no hash matches nothing. */
  matches(password: string, stored: string): Promise<boolean>;
  /** Takes as long as {@link matches}, for an account that is not there, and never matches. */
  matchesNobody(password: string): Promise<false>;
  /** Whether a stored hash has the current scheme, pepper and cost; if not, the next login makes it anew. */
  isCurrent(stored: string): Promise<boolean>;
}

/** Names the scheme in the stored text; the pepper's `kid` and a bcrypt string that names its cost follow. */
const SCHEME = 'bcrypt-hmac-sha384';

/** What stands behind `$2b$cost$`: a salt and a digest that no password is known to have. Of full length, or it would cost nothing. */
const NOBODYS_SALT_AND_DIGEST = `${'N'.repeat(22)}${'N'.repeat(31)}`;

/**
 * Passwords hashed as `bcrypt(base64(HMAC-SHA-384(pepper, NFC(password))))`. The HMAC makes bcrypt's limit of 72 bytes
 * and its trouble with NUL unreachable (64 characters of base64 go in), and a stolen table useless without the pepper.
 *
 * @param peppers ring of peppers; one that a stored hash names is used whatever its times say
 * @param cost of bcrypt, log2 of the rounds
 */
export function passwordsWith(peppers: RingOf<SharedSecret>, cost: number, clock: Clock): Passwords {
  const nobody = `$2b$${String(cost).padStart(2, '0')}$${NOBODYS_SALT_AND_DIGEST}`;
  const currentPepper = async () => keySigningAt(await peppers(), clock());

  return {
    async hash(password) {
      const pepper = await currentPepper();
      return `${SCHEME}:${pepper.kid}:${await bcrypt.hash(peppered(password, pepper), cost)}`;
    },

    async matches(password, stored) {
      const { kid, digest } = partsOf(stored);
      const pepper = kid === undefined ? undefined : await keyNamed(kid, peppers);
      if (pepper === undefined || digest === undefined) {
        // Whatever another system's hash costs, it never answers sooner than that of an account that is not there.
        const [matches] = await Promise.all([foreignHashIn(stored)?.matches(password), this.matchesNobody(password)]);
        return matches ?? false;
      }
      return bcrypt.compare(peppered(password, pepper), digest);
    },

    async matchesNobody(password) {
      await bcrypt.compare(peppered(password, await currentPepper()), nobody);
      return false;
    },

    async isCurrent(stored) {
      const { kid, digest } = partsOf(stored);
      return kid === (await currentPepper()).kid && digest !== undefined && bcrypt.getRounds(digest) === cost;
    },
  };
}

/** Whether a stored text is a hash in our scheme, and of which pepper. */
export const pepperOf = (stored: string): string | undefined => partsOf(stored).kid;

/** Bcrypt knows costs from 4 to 31; the library throws at any other. */
const STORED = new RegExp(`^${SCHEME}:([^:]+):(\\$2b\\$(?:0[4-9]|[12]\\d|3[01])\\$[./A-Za-z0-9]{53})$`);

function partsOf(stored: string): { kid?: string | undefined; digest?: string | undefined } {
  const [, kid, digest] = STORED.exec(stored) ?? [];
  return { kid, digest };
}

const peppered = (password: string, pepper: SharedSecret): string =>
  createHmac('sha384', pepper.secret).update(normalPassword(password), 'utf8').digest('base64');
