import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { outputsOf } from './stack-access.ts';

/** Where the keys of one stack are, deployed or local: what the operators' command needs to reach them. */
export interface KeysAccess {
  readonly secretsManager: SecretsManagerClient;
  readonly parameterStore: SSMClient;
  readonly kms: KMSClient;
  /** ARNs of secrets. */
  readonly signingKeys: string;
  readonly refreshSecrets: string;
  readonly peppers: string;
  /** The name of the parameter. */
  readonly publicKeys: string;
  close(): Promise<void>;
}

/**
 * A stack in the AWS account that the environment names (AWS_PROFILE, AWS_REGION, …), found by its outputs.
 *
 * @throws {Complaint} where there is no such stack, or it is none of Latchkey
 */
export async function deployedKeys(name: string): Promise<KeysAccess> {
  const output = await outputsOf(name);
  return {
    secretsManager: new SecretsManagerClient(),
    parameterStore: new SSMClient(),
    kms: new KMSClient(),
    signingKeys: output('SigningKeysSecret'),
    refreshSecrets: output('RefreshSecretsSecret'),
    peppers: output('PeppersSecret'),
    publicKeys: output('PublicKeysParameter'),
    close: () => Promise.resolve(),
  };
}
