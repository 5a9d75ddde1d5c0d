import type { JWK } from 'jose';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../domain/settings.ts';
import type { UnixSeconds } from '../domain/time.ts';
import { listIn, membersOf, membersOfJson, optional, textIn, timeIn, Unfit, type Members } from '../domain/unknown.ts';

/**
 * What every key of a ring carries. Its state follows from these times and the clock alone, so a key is promoted
 * and retired without anything having to run at that moment.
 */
export interface RingKey {
  readonly kid: string;
  /** From when verifiers can know it. */
  readonly publishedAt: UnixSeconds;
  /** From when it signs, until a younger key does. */
  readonly signsFrom: UnixSeconds;
  /** From when nothing it signed is accepted; absent while it has no successor. */
  readonly endsAt?: UnixSeconds;
}

/** A key that signs access tokens and is kept in the ring itself. */
export interface KeptKey extends RingKey {
  readonly alg: SigningAlgorithm;
  readonly privateJwk: JWK;
}

/** A key that signs access tokens and never leaves AWS KMS; the ring only knows which it is, and its public part. */
export interface KmsKey extends RingKey {
  readonly alg: SigningAlgorithm;
  /** Its ARN. */
  readonly kmsKey: string;
  readonly publicJwk: JWK;
}

/** A key that signs access tokens. */
export type SigningKey = KeptKey | KmsKey;

/** Whether a signing key is one of AWS KMS. */
export const isInKms = (key: SigningKey): key is KmsKey => 'kmsKey' in key;

/** A secret of the refresh tokens (HS256) or a pepper of the passwords: bytes that are never published. */
export interface SharedSecret extends RingKey {
  readonly secret: Uint8Array;
}

/** A key ring that no key can be taken from now is of no use to the function that holds it. */
export class NoKey extends Error {
  override readonly name = 'NoKey';
}

/**
 * The key that signs at a time: the youngest that signs from then or earlier and has not ended.
 *
 * @throws {NoKey}
 */
export function keySigningAt<Key extends RingKey>(ring: readonly Key[], time: UnixSeconds): Key {
  const signing = ring.filter((key) => key.signsFrom <= time && !hasEnded(key, time));
  const [youngest] = signing.toSorted((one, other) => other.signsFrom - one.signsFrom);
  if (youngest === undefined) throw new NoKey('no key of the ring signs now');
  return youngest;
}

/**
 * Gives a ring that was read before.
 *
 * @param suffices whether it has what is looked for; a ring that has not may be read anew
 */
export type RingOf<Key extends RingKey> = (suffices?: (keys: readonly Key[]) => boolean) => Promise<readonly Key[]>;

/** The key of a name, also one that others made a moment ago. */
export async function keyNamed<Key extends RingKey>(kid: string, ring: RingOf<Key>): Promise<Key | undefined> {
  const isNamed = (key: Key) => key.kid === kid;
  return (await ring((keys) => keys.some(isNamed))).find(isNamed);
}

/** Whether nothing that a key signed is accepted any more. */
export const hasEnded = (key: RingKey, time: UnixSeconds): boolean => key.endsAt !== undefined && key.endsAt <= time;

/** The ring in a text. One that is no ring (what CloudFormation made the secret with) counts as none. */
export function ringIfAny<Ring>(text: string | undefined, read: (text: string) => Ring): Ring | undefined {
  try {
    return text === undefined ? undefined : read(text);
  } catch (error) {
    if (error instanceof Unfit) return undefined;
    throw error;
  }
}

/** Reads the ring of signing keys from its secret. @throws {Unfit} where it is none */
export const signingRingFrom = (text: string): readonly SigningKey[] =>
  ringFrom(text, (key) => {
    const alg = SIGNING_ALGORITHMS.find((one) => one === key['alg']);
    if (alg === undefined) throw new Unfit('alg is not known');
    if (optional(key, 'kmsKey', textIn) === undefined) {
      return { ...timesOf(key), alg, privateJwk: membersOf(key['privateJwk']) };
    }
    return { ...timesOf(key), alg, kmsKey: textIn(key, 'kmsKey'), publicJwk: membersOf(key['publicJwk']) };
  });

/** Reads a ring of shared secrets, at least 32 bytes each. @throws {Unfit} where it is none */
export const sharedSecretsFrom = (text: string): readonly SharedSecret[] =>
  ringFrom(text, (key) => {
    const secret = Buffer.from(textIn(key, 'secret'), 'base64url');
    if (secret.length < 32) throw new Unfit('secret is too short');
    return { ...timesOf(key), secret };
  });

function ringFrom<Key>(text: string, read: (key: Members) => Key): readonly Key[] {
  const keys = listIn(membersOfJson(text), 'keys').map(read);
  if (keys.length === 0) throw new Unfit('a ring without keys');
  return keys;
}

function timesOf(key: Members): RingKey {
  const endsAt = optional(key, 'endsAt', timeIn);
  return {
    kid: textIn(key, 'kid'),
    publishedAt: timeIn(key, 'publishedAt'),
    signsFrom: timeIn(key, 'signsFrom'),
    ...(endsAt !== undefined && { endsAt }),
  };
}
