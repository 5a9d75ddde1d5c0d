import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { now } from '../shared/runtime/clock.ts';
import { optionalEnv, readEnv, readSettings } from '../shared/runtime/env.ts';
import { keptParameter, keptSecret, parameterStore, secretsManager } from '../shared/runtime/key-store.ts';
import { log, nameOf } from '../shared/runtime/log.ts';
import { keyKeeper } from '../shared/runtime/with-kms.ts';
import { sharedSecretsFrom, signingRingFrom, type SharedSecret, type SigningKey } from '../shared/token/key-ring.ts';
import { proveKeys } from '../shared/token/key-proof.ts';
import { newKeysFor } from '../shared/token/new-keys-for.ts';
import { newSharedSecret } from '../shared/token/new-keys.ts';
import { publish, publishCurrent } from '../shared/token/publication.ts';
import { rotateKeys, RotationHalted, type RingNeeds } from './rotate-keys.ts';

const env = readEnv('SIGNING_KEYS_SECRET', 'REFRESH_SECRETS_SECRET', 'PEPPERS_SECRET', 'PUBLIC_KEYS_PARAMETER');
const settings = readSettings(
  'signing',
  'signingAlgorithm',
  'accessTokenLifetime',
  'sessionLifetime',
  'keyPublicationTime',
  'keyMaxStale',
);

const secrets = secretsManager(optionalEnv('SECRETS_MANAGER_ENDPOINT'));
const publicKeys = keptParameter(parameterStore(optionalEnv('SSM_ENDPOINT')), env.PUBLIC_KEYS_PARAMETER);
const common = { now, publication: settings.keyPublicationTime };

const signingKeys = keptSecret(secrets, env.SIGNING_KEYS_SECRET);
const keeper = keyKeeper(env.SIGNING_KEYS_SECRET);
const newSigningKey = newKeysFor(settings.signing, {
  ...common,
  keeper,
  signingKeys,
  warn: (event, error) => log('WARN', event, { error: nameOf(error) }),
});
const signing: RingNeeds<SigningKey> = {
  ...common,
  secret: signingKeys,
  read: signingRingFrom,
  newKey: (times) => newSigningKey(settings.signingAlgorithm, times),
  // A function that could not read the new ring may have signed with the old key until its copy was too old.
  keptFor: settings.keyMaxStale + settings.accessTokenLifetime,
  publish: (ring) => publish(ring, { now, publicKeys }),
  prove: async (ring) => proveKeys(ring, (await publicKeys.read()) ?? '', keeper),
  settle: () => publishCurrent({ now, publicKeys, signingKeys }),
};

const nothing = () => Promise.resolve();
/** Nobody but our own functions verifies with these, so nothing is published; they only need the time to read them. */
const shared = (arn: string, keptFor: number | undefined): RingNeeds<SharedSecret> => ({
  ...common,
  secret: keptSecret(secrets, arn),
  read: sharedSecretsFrom,
  newKey: newSharedSecret,
  keptFor,
  publish: nothing,
  prove: nothing,
  settle: nothing,
});

const refreshSecrets = shared(env.REFRESH_SECRETS_SECRET, settings.keyMaxStale + settings.sessionLifetime);
// A pepper never ends: only a login can make a hash anew, and nobody knows whether the last that names it has been.
const peppers = shared(env.PEPPERS_SECRET, undefined);

/** What Secrets Manager calls, one step after the other, with the version that it wants to become current. */
export const handler = async (event: SecretsManagerRotationEvent): Promise<void> => {
  // Without a cause: Lambda logs what is thrown, and an error of somebody else may quote what it was given.
  if (!(await isDone(event))) throw new Error('The rotation step failed.');
};

async function isDone({ Step, SecretId, ClientRequestToken }: SecretsManagerRotationEvent): Promise<boolean> {
  const fields = { step: Step, secret: SecretId };
  try {
    if (SecretId === env.SIGNING_KEYS_SECRET) await rotateKeys(Step, ClientRequestToken, signing);
    else if (SecretId === env.REFRESH_SECRETS_SECRET) await rotateKeys(Step, ClientRequestToken, refreshSecrets);
    else if (SecretId === env.PEPPERS_SECRET) await rotateKeys(Step, ClientRequestToken, peppers);
    else throw new RotationHalted('not a secret of this function');
    log('INFO', 'rotation-step', fields);
    return true;
  } catch (error) {
    const reason = error instanceof RotationHalted ? error.message : undefined;
    log('ERROR', 'rotation-failed', { ...fields, error: nameOf(error), reason });
    return false;
  }
}
