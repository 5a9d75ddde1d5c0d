/** The keys of the local stack, for commands that run beside `npm start` or without it. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { KeysAccess } from '../cli/keys-access.ts';
import { Complaint } from './complaint.ts';
import { dataFolder, filesIn, isLocked, lock, readOr } from './data-folder.ts';
import { fieldsOf, jsonOf, textOf } from './fields.ts';
import { writePrivately } from './private-file.ts';
import { startSecretsStandIn } from './secrets-stand-in.ts';

/** Where the last `npm start` in a folder kept keys. */
export interface LocalKeysFile {
  readonly signingKeys: string;
  readonly refreshSecrets: string;
  readonly peppers: string;
  readonly publicKeys: string;
  readonly endpoint: string;
}

export const writeKeysFile = (folder: string, keys: LocalKeysFile): void =>
  writePrivately(filesIn(folder).keys, `${JSON.stringify(keys, null, 2)}\n`);

/**
 * While `npm start` runs, its stand-in of Secrets Manager answers, because it holds the keys in its memory; else one of this
 * process.
 *
 * @throws {Complaint} where nothing was ever started here
 */
export async function openLocalKeys(): Promise<KeysAccess> {
  const folder = dataFolder();
  const files = filesIn(folder);
  const text = readOr(files.keys, '');
  if (text === '') throw new Complaint('There is no local stack yet: run `npm start` once.');
  const fields = fieldsOf(jsonOf(text, files.keys), files.keys);
  const named = (name: keyof LocalKeysFile) => textOf(fields[name], files.keys);
  const { endpoint, close } = isLocked(folder)
    ? { endpoint: named('endpoint'), close: () => Promise.resolve() }
    : await ownStandIn(folder);
  const config = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  return {
    secretsManager: new SecretsManagerClient(config),
    parameterStore: new SSMClient(config),
    signingKeys: named('signingKeys'),
    refreshSecrets: named('refreshSecrets'),
    peppers: named('peppers'),
    publicKeys: named('publicKeys'),
    close,
  };
}

async function ownStandIn(folder: string): Promise<{ endpoint: string; close: () => Promise<void> }> {
  const unlock = lock(folder);
  try {
    const standIn = await startSecretsStandIn(filesIn(folder).secrets);
    return { endpoint: standIn.endpoint, close: () => standIn.close().then(unlock) };
  } catch (error) {
    unlock();
    throw error;
  }
}
