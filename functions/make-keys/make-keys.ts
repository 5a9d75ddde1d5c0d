import type { KeptSecret, KeptText } from '../shared/domain/kept.ts';
import type { KeyKeeper } from '../shared/domain/key-custody.ts';
import type { SigningAlgorithm, SigningCustody } from '../shared/domain/settings.ts';
import { after, type Clock, type Seconds } from '../shared/domain/time.ts';
import {
  hasEnded,
  isInKms,
  ringIfAny,
  sharedSecretsFrom,
  signingRingFrom,
  type SigningKey,
} from '../shared/token/key-ring.ts';
import { newSharedSecret, ringText, type NewSigningKey } from '../shared/token/new-keys.ts';
import { publish, publishCurrent } from '../shared/token/publication.ts';
import { withNextKey } from '../shared/token/ring-changes.ts';

export interface MakeKeysNeeds {
  now: Clock;
  signingKeys: KeptSecret;
  refreshSecrets: KeptSecret;
  peppers: KeptSecret;
  publicKeys: KeptText;
  algorithm: SigningAlgorithm;
  /** Where new signing keys are to be. */
  custody: SigningCustody;
  newSigningKey: NewSigningKey;
  /** How long a key is published before it signs. */
  publication: Seconds;
  /** How long a signing key is still needed after its successor's first signature. */
  keptFor: Seconds;
}

/** The deployment cannot have what it asks for. The message is for whoever deploys. */
export class DeploymentRefused extends Error {
  override readonly name = 'DeploymentRefused';
}

/**
 * Makes the keys that are missing, and never touches one that is there. Run twice, in parallel, or again after it was
 * cut off, it leaves the same: every ring with keys, and the public key set of the signing ring published. It publishes at
 * every run, because CloudFormation writes the parameter's first value again whenever it changes anything of it.
 *
 * @throws {DeploymentRefused} where a key of KMS still signs, or may, and the deployment has no KMS any more
 */
export async function makeKeys(needs: MakeKeysNeeds): Promise<void> {
  await filled(needs.refreshSecrets, needs);
  await filled(needs.peppers, needs);
  let isDone = false;
  while (!isDone) isDone = await signingRingMade(needs);
  await publishCurrent(needs);
}

/** Sees that a secret holds a ring of shared secrets; somebody else's is as good. */
async function filled(secret: KeptSecret, { now }: MakeKeysNeeds): Promise<void> {
  const found = await secret.current();
  if (ringIfAny(found?.text, sharedSecretsFrom) !== undefined) return;
  await secret.replace(ringText([newSharedSecret({ publishedAt: now(), signsFrom: now() })]), found);
}

/** @returns false where somebody else was faster: what was decided on is no more */
async function signingRingMade(needs: MakeKeysNeeds): Promise<boolean> {
  const found = await needs.signingKeys.current();
  const ring = ringIfAny(found?.text, signingRingFrom);
  const wanted = await ringWanted(ring, needs);
  if (wanted === ring) return true;
  // Published before it is kept: a key that signs and that nobody knows would be an outage.
  await publish(wanted, needs);
  return needs.signingKeys.replace(ringText(wanted), found);
}

/** Takes back every key of KMS that is ours: nothing is left that could use one. */
export async function removeKmsKeys(keeper: KeyKeeper): Promise<void> {
  for (const { id } of await keeper.ours()) await keeper.remove(id);
}

/** The ring with a lasting key of the algorithm and custody that were asked for; the same ring where it has one. */
async function ringWanted(
  ring: readonly SigningKey[] | undefined,
  { now, algorithm, custody, newSigningKey, publication, keptFor }: MakeKeysNeeds,
): Promise<readonly SigningKey[]> {
  const publishedAt = now();
  if (ring === undefined) return [await newSigningKey(algorithm, { publishedAt, signsFrom: publishedAt })];
  if (custody === 'secret' && ring.some((key) => isInKms(key) && !hasEnded(key, publishedAt))) {
    throw new DeploymentRefused(
      'A key of KMS has not ended: deploy with signing=secret-after-kms first, see docs/runbook.md.',
    );
  }
  const lasting = ring.filter(({ endsAt }) => endsAt === undefined);
  const [youngest] = lasting.toSorted((one, other) => other.signsFrom - one.signsFrom);
  if (youngest?.alg === algorithm && isInKms(youngest) === (custody === 'kms')) return ring;
  const next = await newSigningKey(algorithm, { publishedAt, signsFrom: after(publishedAt, publication) });
  return withNextKey(ring, next, keptFor);
}
