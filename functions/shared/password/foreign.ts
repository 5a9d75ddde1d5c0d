import { argon2, createHash, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import bcrypt from 'bcryptjs';

/** A password hash that another system made, as it is stored. */
export interface ForeignHash {
  /** Whether a password, as it was sent, is the one that was hashed. */
  matches(password: string): Promise<boolean>;
}

/** More work than these would let one stored text hold a function for seconds. An import refuses it, a login matches nothing. */
const MOST = {
  bcryptCost: 15,
  pbkdf2Iterations: 5_000_000,
  scryptBytes: 128 * 1024 * 1024,
  argon2Kibibytes: 256 * 1024,
  argon2Passes: 10,
  argon2Lanes: 16,
};

const pbkdf2Of = promisify(pbkdf2);
const argon2Of = promisify(argon2);
const scryptOf = promisify<string, string, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

interface Scheme {
  /** As people call it. */
  readonly name: string;
  /** Its parts in groups that have the names of its parameters. */
  readonly pattern: RegExp;
  /** Undefined where it asks for more work than we do. */
  readonly read: (parts: Readonly<Record<string, string>>) => ForeignHash | undefined;
}

const BCRYPT = String.raw`(?<digest>\$2[aby]\$(?<cost>0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53})`;
const BASE64 = '[A-Za-z0-9+/]+={0,2}';

/** A digest that is computed again and compared without telling where it differs. */
const computed = (expected: Buffer, compute: (password: string, bytes: number) => Promise<Buffer>): ForeignHash => ({
  matches: async (password) => timingSafeEqual(await compute(password, expected.length), expected),
});

const pbkdf2With =
  (digest: 'sha256' | 'sha1') =>
  ({ iterations = '', salt = '', hash = '' }: Readonly<Record<string, string>>): ForeignHash | undefined =>
    Number(iterations) > MOST.pbkdf2Iterations
      ? undefined
      : computed(Buffer.from(hash, 'base64'), (password, bytes) =>
          pbkdf2Of(password, salt, Number(iterations), bytes, digest),
        );

/** @param inner what was done to the password before */
const bcryptOf =
  (inner: (password: string) => string) =>
  ({ digest = '', cost = '' }: Readonly<Record<string, string>>): ForeignHash | undefined =>
    Number(cost) > MOST.bcryptCost
      ? undefined
      : // Bytes beyond 72 do not count, here as where the hash was made.
        { matches: (password) => bcrypt.compare(inner(password), digest) };

/** What Django and most others store, newest Django default first. */
const SCHEMES: readonly Scheme[] = [
  {
    name: 'pbkdf2_sha256$',
    pattern: new RegExp(`^pbkdf2_sha256\\$(?<iterations>[1-9]\\d{0,8})\\$(?<salt>[^$]+)\\$(?<hash>${BASE64})$`),
    read: pbkdf2With('sha256'),
  },
  {
    name: 'pbkdf2_sha1$',
    pattern: new RegExp(`^pbkdf2_sha1\\$(?<iterations>[1-9]\\d{0,8})\\$(?<salt>[^$]+)\\$(?<hash>${BASE64})$`),
    read: pbkdf2With('sha1'),
  },
  {
    name: 'bcrypt_sha256$',
    pattern: new RegExp(String.raw`^bcrypt_sha256\$${BCRYPT}$`),
    read: bcryptOf((password) => createHash('sha256').update(password, 'utf8').digest('hex')),
  },
  {
    name: 'bcrypt$ or $2b$',
    pattern: new RegExp(String.raw`^(?:bcrypt\$)?${BCRYPT}$`),
    read: bcryptOf((password) => password),
  },
  {
    name: 'argon2$',
    pattern: new RegExp(
      String.raw`^argon2\$(?<kind>argon2id|argon2i|argon2d)\$v=19\$m=(?<memory>[1-9]\d{0,8}),t=(?<passes>[1-9]\d{0,2}),p=(?<parallelism>[1-9]\d{0,2})` +
        `\\$(?<nonce>${BASE64})\\$(?<hash>${BASE64})$`,
    ),
    read: ({ kind, memory, passes, parallelism, nonce = '', hash = '' }) => {
      const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
      const isTooMuch =
        cost.memory > MOST.argon2Kibibytes || cost.passes > MOST.argon2Passes || cost.parallelism > MOST.argon2Lanes;
      if (isTooMuch || cost.memory < 8 * cost.parallelism) return undefined;
      const salt = Buffer.from(nonce, 'base64');
      if (salt.length < 8) return undefined;
      return computed(Buffer.from(hash, 'base64'), (message, tagLength) =>
        argon2Of(kind as 'argon2id', { message, nonce: salt, tagLength, ...cost }),
      );
    },
  },
  {
    name: 'scrypt$',
    pattern: new RegExp(
      `^scrypt\\$(?<n>[1-9]\\d{0,7})\\$(?<salt>[^$]+)\\$(?<r>[1-9]\\d{0,2})\\$(?<p>[1-9]\\d{0,2})\\$(?<hash>${BASE64})$`,
    ),
    read: ({ n, salt = '', r, p, hash = '' }) => {
      const [N, blocks, lanes] = [Number(n), Number(r), Number(p)];
      const isPowerOfTwo = N > 1 && (N & (N - 1)) === 0;
      if (!isPowerOfTwo || 128 * N * blocks * lanes > MOST.scryptBytes) return undefined;
      return computed(Buffer.from(hash, 'base64'), (password, bytes) =>
        scryptOf(password, salt, bytes, { N, r: blocks, p: lanes, maxmem: 2 * MOST.scryptBytes }),
      );
    },
  },
];

/** The schemes that {@link foreignHashIn} reads, as people call them. */
export const FOREIGN_SCHEMES: readonly string[] = SCHEMES.map(({ name }) => name);

/**
 * A hash that another system made: Django's, or plain bcrypt. The next login makes it one of ours.
 *
 * @returns undefined for a text that is none, such as Django's mark of an unusable password, or asks for too much work
 */
export function foreignHashIn(stored: string): ForeignHash | undefined {
  for (const { pattern, read } of SCHEMES) {
    const parts = pattern.exec(stored)?.groups;
    if (parts !== undefined) return read(parts);
  }
  return undefined;
}
