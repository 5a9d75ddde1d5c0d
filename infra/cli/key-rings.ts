/** What operators see of keys and do to them. Never a key itself: what leaves here are names, states and times. */
import { RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { isoTime, type UnixSeconds } from '../../functions/shared/domain/time.ts';
import { now } from '../../functions/shared/runtime/clock.ts';
import { keptParameter, keptSecret } from '../../functions/shared/runtime/key-store.ts';
import { keeperInKms } from '../../functions/shared/runtime/kms-keeper.ts';
import {
  isInKms,
  keySigningAt,
  ringIfAny,
  sharedSecretsFrom,
  signingRingFrom,
  type SharedSecret,
  type SigningKey,
} from '../../functions/shared/token/key-ring.ts';
import { newSharedSecret, newSigningKey, ringText, type KeyTimes } from '../../functions/shared/token/new-keys.ts';
import { newKmsKey } from '../../functions/shared/token/kms-keys.ts';
import { arePublished, publish, publishCurrent } from '../../functions/shared/token/publication.ts';
import { stateOf, withKeyRetired, type KeyState } from '../../functions/shared/token/ring-changes.ts';
import { Complaint } from '../local/complaint.ts';
import type { KeysAccess } from './keys-access.ts';

/** The three secrets, as the command line calls them. */
export const KINDS = ['signing-keys', 'refresh-secrets', 'peppers'] as const;
export type Kind = (typeof KINDS)[number];

/** What operators see of a key. */
export interface ShownKey {
  readonly kid: string;
  readonly kind: Kind;
  readonly algorithm: string;
  /** Where the key itself is: in the ring's secret, or in KMS under this ARN. */
  readonly kmsKey?: string;
  readonly state: KeyState;
  readonly publishedAt: string;
  readonly signsFrom: string;
  readonly endsAt?: string;
}

type Key = SigningKey | SharedSecret;

const READERS: Readonly<Record<Kind, (text: string) => readonly Key[]>> = {
  'signing-keys': signingRingFrom,
  'refresh-secrets': sharedSecretsFrom,
  peppers: sharedSecretsFrom,
};

const arnOf = (access: KeysAccess, kind: Kind): string =>
  ({ 'signing-keys': access.signingKeys, 'refresh-secrets': access.refreshSecrets, peppers: access.peppers })[kind];

const secretOf = (access: KeysAccess, kind: Kind) => keptSecret(access.secretsManager, arnOf(access, kind));

const publicationOf = (access: KeysAccess) => ({
  now,
  publicKeys: keptParameter(access.parameterStore, access.publicKeys),
  signingKeys: secretOf(access, 'signing-keys'),
});

/** A ring with the version it was read from. @throws {Complaint} where there is none yet */
async function ringOf<Each extends Key>(access: KeysAccess, kind: Kind, read: (text: string) => readonly Each[]) {
  const version = await secretOf(access, kind).current();
  const ring = ringIfAny(version?.text, read);
  if (version === undefined || ring === undefined) {
    throw new Complaint('The stack has no keys yet. Has its deployment finished?');
  }
  return { version, ring };
}

/** Every key of every ring, those that ended a while ago left out when their ring next changes. */
export async function listKeys(access: KeysAccess): Promise<readonly ShownKey[]> {
  const time = now();
  const shown = KINDS.map(async (kind) => {
    const { ring } = await ringOf(access, kind, READERS[kind]);
    return ring.map((key) => shownKey(key, kind, stateOf(key, ring, time)));
  });
  return (await Promise.all(shown)).flat();
}

const ALGORITHMS = { 'refresh-secrets': 'HS256', peppers: 'HMAC-SHA-384' };

const shownKey = (key: Key, kind: Kind, state: KeyState): ShownKey => ({
  kid: key.kid,
  kind,
  algorithm: kind === 'signing-keys' ? ('alg' in key ? key.alg : '') : ALGORITHMS[kind],
  ...('kmsKey' in key && { kmsKey: key.kmsKey }),
  state,
  publishedAt: isoTime(key.publishedAt),
  signsFrom: isoTime(key.signsFrom),
  ...(key.endsAt !== undefined && { endsAt: isoTime(key.endsAt) }),
});

/** Whether everybody can read the keys that sign or will. */
export async function isPublished(access: KeysAccess): Promise<boolean> {
  const { ring } = await ringOf(access, 'signing-keys', signingRingFrom);
  return arePublished(ring, publicationOf(access));
}

/** Publishes the signing keys again, where something else stands in their place. */
export const republish = (access: KeysAccess): Promise<void> => publishCurrent(publicationOf(access));

/** Starts a rotation, as the schedule would. */
export async function startRotation(access: KeysAccess, kind: Kind): Promise<void> {
  await access.secretsManager.send(new RotateSecretCommand({ SecretId: arnOf(access, kind) }));
}

/** What a retirement did. */
export interface Retired {
  readonly kind: Kind;
  /** The key that signs from now on. */
  readonly signing: string;
}

/**
 * Ends a key now. Where it was the one that signs, another one signs at once.
 *
 * @throws {Complaint} where there is no such key, it has ended, or it is a pepper
 */
export async function retireKey(access: KeysAccess, kid: string): Promise<Retired> {
  const has = async (kind: Kind) => (await ringOf(access, kind, READERS[kind])).ring.some((key) => key.kid === kid);
  if (await has('signing-keys')) return retireSigningKey(access, kid);
  if (await has('refresh-secrets')) return retireRefreshSecret(access, kid);
  if (await has('peppers')) {
    throw new Complaint(
      'A pepper is never retired: whoever has a hash that names it could not log in. `rotate peppers` makes a new one, to which every user moves at the next login.',
    );
  }
  throw new Complaint(`There is no key "${kid}".`);
}

async function retireSigningKey(access: KeysAccess, kid: string): Promise<Retired> {
  const publication = publicationOf(access);
  const keeper = keeperInKms(access.signingKeys, access.kms);
  for (;;) {
    const { version, ring } = await ringOf(access, 'signing-keys', signingRingFrom);
    const time = now();
    const signing = keySigningAt(ring, time);
    // Where none waits, one of the same kind takes the place of the one that signs.
    const another = (times: KeyTimes): Promise<SigningKey> =>
      isInKms(signing) ? newKmsKey(keeper, signing.alg, times) : newSigningKey(signing.alg, times);
    const changed = known(await withKeyRetired(ring, kid, time, another), kid);
    // Published before it signs, as ever; and the retired one is gone from there a moment sooner.
    await publish(changed, publication);
    if (!(await publication.signingKeys.replace(ringText(changed), version))) continue;
    await publishCurrent(publication);
    // Last, so that whoever cannot sign with it any more finds the ring in which another one signs.
    for (const key of ring) if (key.kid === kid && isInKms(key)) await keeper.remove(key.kmsKey);
    return { kind: 'signing-keys', signing: keySigningAt(changed, time).kid };
  }
}

async function retireRefreshSecret(access: KeysAccess, kid: string): Promise<Retired> {
  for (;;) {
    const { version, ring } = await ringOf(access, 'refresh-secrets', sharedSecretsFrom);
    const time: UnixSeconds = now();
    const changed = known(
      await withKeyRetired(ring, kid, time, (times) => Promise.resolve(newSharedSecret(times))),
      kid,
    );
    if (!(await secretOf(access, 'refresh-secrets').replace(ringText(changed), version))) continue;
    return { kind: 'refresh-secrets', signing: keySigningAt(changed, time).kid };
  }
}

function known<Each extends Key>(ring: readonly Each[] | undefined, kid: string): readonly Each[] {
  if (ring === undefined) throw new Complaint(`The key "${kid}" has ended already.`);
  return ring;
}
