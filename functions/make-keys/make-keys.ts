import type { SigningAlgorithm } from '../shared/domain/settings.ts';
import { after, type Clock, type Seconds } from '../shared/domain/time.ts';
import { Unfit } from '../shared/domain/unknown.ts';
import { sharedSecretsFrom, signingRingFrom, type SigningKey } from '../shared/token/key-ring.ts';
import { newSharedSecret, newSigningKey, ringText } from '../shared/token/new-keys.ts';
import { publicKeysOf } from '../shared/token/public-keys.ts';

/** A text that is kept outside: a secret, or the parameter of the public keys. */
export interface Kept {
  /** @returns undefined where there is none yet */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

export interface MakeKeysNeeds {
  now: Clock;
  signingKeys: Kept;
  refreshSecrets: Kept;
  peppers: Kept;
  publicKeys: Kept;
  algorithm: SigningAlgorithm;
  /** Of an access token: how long a key is still needed after it stopped signing. */
  tokenLifetime: Seconds;
}

/**
 * How long a key is published before it signs. API Gateway's own authorizers may keep a key set for two hours.
 */
export const PUBLICATION_SECONDS: Seconds = 3 * 3_600;

/**
 * Makes the keys that are missing, and never touches one that is there. Run twice, in parallel, or again after it was
 * cut off, it leaves the same: every ring with keys, and the public key set of the signing ring published.
 */
export async function makeKeys(needs: MakeKeysNeeds): Promise<void> {
  const { signingKeys, refreshSecrets, peppers, now } = needs;
  const atOnce = { publishedAt: now(), signsFrom: now() };
  for (const kept of [refreshSecrets, peppers]) {
    if (ringIn(await kept.read(), sharedSecretsFrom) === undefined) {
      await kept.write(ringText([newSharedSecret(atOnce)]));
    }
  }

  const found = await signingKeys.read();
  const ring = ringIn(found, signingRingFrom);
  const wanted = await ringWanted(ring, needs);
  // Published before it is kept: a key that signs and that nobody knows would be an outage.
  await publish(wanted, needs);
  if (wanted !== ring) await signingKeys.write(ringText(wanted));
  // Somebody else may have written or published meanwhile, so whoever publishes looks once more what stands there.
  let published = found;
  for (let kept = await signingKeys.read(); kept !== published; kept = await signingKeys.read()) {
    await publish(ringIn(kept, signingRingFrom) ?? wanted, needs);
    published = kept;
  }
}

/** The ring with a lasting key of the algorithm that was asked for; the same ring where it has one. */
async function ringWanted(
  ring: readonly SigningKey[] | undefined,
  { now, algorithm, tokenLifetime }: MakeKeysNeeds,
): Promise<readonly SigningKey[]> {
  const publishedAt = now();
  if (ring === undefined) return [await newSigningKey(algorithm, { publishedAt, signsFrom: publishedAt })];
  const lasting = ring.filter(({ endsAt }) => endsAt === undefined);
  const [youngest] = lasting.toSorted((one, other) => other.signsFrom - one.signsFrom);
  if (youngest?.alg === algorithm) return ring;
  const signsFrom = after(publishedAt, PUBLICATION_SECONDS);
  const endsAt = after(signsFrom, tokenLifetime);
  return [
    ...ring.map((key) => (lasting.includes(key) ? { ...key, endsAt } : key)),
    await newSigningKey(algorithm, { publishedAt, signsFrom }),
  ];
}

async function publish(ring: readonly SigningKey[], { publicKeys, now }: MakeKeysNeeds): Promise<void> {
  const text = JSON.stringify(publicKeysOf(ring, now()));
  if ((await publicKeys.read()) !== text) await publicKeys.write(text);
}

/** The ring in a text. One that is no ring (what CloudFormation made the secret with) counts as none. */
function ringIn<Ring>(text: string | undefined, read: (text: string) => Ring): Ring | undefined {
  try {
    return text === undefined ? undefined : read(text);
  } catch (error) {
    if (error instanceof Unfit) return undefined;
    throw error;
  }
}
