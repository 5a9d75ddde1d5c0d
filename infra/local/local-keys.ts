/** The keys of the local stack, for commands that run beside `npm start` or without it. */
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { KeysAccess } from '../cli/keys-access.ts';
import { Complaint } from './complaint.ts';
import { dataFolder, filesIn, isLocked, lock, readOr } from './data-folder.ts';
import { fieldsOf, jsonOf, textOf } from './fields.ts';
import { startKmsStandIn } from './kms-stand-in.ts';
import { writePrivately } from './private-file.ts';
import { startSecretsStandIn } from './secrets-stand-in.ts';

/** Where the last `npm start` in a folder kept keys. */
export interface LocalKeysFile {
  readonly signingKeys: string;
  readonly refreshSecrets: string;
  readonly peppers: string;
  readonly publicKeys: string;
  readonly endpoint: string;
  readonly kmsEndpoint: string;
}

export const writeKeysFile = (folder: string, keys: LocalKeysFile): void =>
  writePrivately(filesIn(folder).keys, `${JSON.stringify(keys, null, 2)}\n`);

/**
 * While `npm start` runs, its stand-ins of Secrets Manager and KMS answer, because they hold the keys in their memory; else some of this
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
  const { endpoint, kmsEndpoint, close } = isLocked(folder)
    ? { endpoint: named('endpoint'), kmsEndpoint: named('kmsEndpoint'), close: () => Promise.resolve() }
    : await ownStandIns(folder);
  const config = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  return {
    secretsManager: new SecretsManagerClient({ ...config, endpoint }),
    parameterStore: new SSMClient({ ...config, endpoint }),
    kms: new KMSClient({ ...config, endpoint: kmsEndpoint }),
    signingKeys: named('signingKeys'),
    refreshSecrets: named('refreshSecrets'),
    peppers: named('peppers'),
    publicKeys: named('publicKeys'),
    close,
  };
}

async function ownStandIns(folder: string) {
  const unlock = lock(folder);
  try {
    const secrets = await startSecretsStandIn(filesIn(folder).secrets);
    const kms = await startKmsStandIn(filesIn(folder).kms);
    const close = async () => {
      await Promise.all([secrets.close(), kms.close()]);
      unlock();
    };
    return { endpoint: secrets.endpoint, kmsEndpoint: kms.endpoint, close };
  } catch (error) {
    unlock();
    throw error;
  }
}
