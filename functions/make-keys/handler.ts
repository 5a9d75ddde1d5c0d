import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { now } from '../shared/runtime/clock.ts';
import { optionalEnv, readEnv, readSettings } from '../shared/runtime/env.ts';
import { keptParameter, keptSecret, parameterStore, secretsManager } from '../shared/runtime/key-store.ts';
import { log, nameOf } from '../shared/runtime/log.ts';
import { keyKeeper } from '../shared/runtime/with-kms.ts';
import { newKeysFor } from '../shared/token/new-keys-for.ts';
import { DeploymentRefused, makeKeys, removeKmsKeys, type MakeKeysNeeds } from './make-keys.ts';

const env = readEnv('SIGNING_KEYS_SECRET', 'REFRESH_SECRETS_SECRET', 'PEPPERS_SECRET', 'PUBLIC_KEYS_PARAMETER');
const settings = readSettings(
  'signing',
  'signingAlgorithm',
  'accessTokenLifetime',
  'keyPublicationTime',
  'keyMaxStale',
);

const secrets = secretsManager(optionalEnv('SECRETS_MANAGER_ENDPOINT'));
const signingKeys = keptSecret(secrets, env.SIGNING_KEYS_SECRET);
const keeper = keyKeeper(env.SIGNING_KEYS_SECRET);
const needs: MakeKeysNeeds = {
  now,
  signingKeys,
  refreshSecrets: keptSecret(secrets, env.REFRESH_SECRETS_SECRET),
  peppers: keptSecret(secrets, env.PEPPERS_SECRET),
  publicKeys: keptParameter(parameterStore(optionalEnv('SSM_ENDPOINT')), env.PUBLIC_KEYS_PARAMETER),
  algorithm: settings.signingAlgorithm,
  custody: settings.signing,
  newSigningKey: newKeysFor(settings.signing, {
    now,
    keeper,
    signingKeys,
    publication: settings.keyPublicationTime,
    warn: (event, error) => log('WARN', event, { error: nameOf(error) }),
  }),
  publication: settings.keyPublicationTime,
  // A function that could not read the new ring may have signed with the old key until its copy was too old.
  keptFor: settings.keyMaxStale + settings.accessTokenLifetime,
};

interface Outcome {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
}

/**
 * Answers CloudFormation at deploy time. Removing the resource removes no secret: tables and secrets outlive a mistake. Keys of
 * KMS go where the stack keeps nothing else either, because each costs a dollar a month.
 */
export const handler = async (event: CloudFormationCustomResourceEvent): Promise<void> =>
  answer(event, event.RequestType === 'Delete' ? await removed(event) : await made());

async function made(): Promise<Outcome> {
  try {
    await makeKeys(needs);
    return { Status: 'SUCCESS' };
  } catch (error) {
    log('ERROR', 'keys-not-made', { error: nameOf(error) });
    const reason = error instanceof DeploymentRefused ? error.message : undefined;
    return { Status: 'FAILED', Reason: reason ?? 'The keys could not be made; see the log of this function.' };
  }
}

async function removed({ ResourceProperties }: CloudFormationCustomResourceEvent): Promise<Outcome> {
  if (keeper === undefined || ResourceProperties['KmsKeys'] !== 'destroy') return { Status: 'SUCCESS' };
  try {
    await removeKmsKeys(keeper);
    return { Status: 'SUCCESS' };
  } catch (error) {
    log('ERROR', 'kms-keys-not-removed', { error: nameOf(error) });
    return { Status: 'FAILED', Reason: 'KMS took no order to delete the keys of the stack; delete it once more.' };
  }
}

/** CloudFormation waits an hour for this answer, so a lost one is given twice more, and then Lambda runs all of it again. */
async function answer(event: CloudFormationCustomResourceEvent, result: Outcome): Promise<void> {
  const { StackId, RequestId, LogicalResourceId } = event;
  const body = JSON.stringify({ ...result, StackId, RequestId, LogicalResourceId, PhysicalResourceId: 'keys' });
  for (let attempt = 1; ; attempt += 1) {
    try {
      // A content type would break the signature of the URL.
      const response = await fetch(event.ResponseURL, { method: 'PUT', body, headers: { 'Content-Type': '' } });
      if (response.ok) return;
      throw new Error(`CloudFormation answered ${response.status}`);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}
