import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, ParameterNotFound, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Kept } from './make-keys.ts';

/** A secret in Secrets Manager. @param endpoint where another than AWS's listens */
export function keptSecret(arn: string, endpoint: string | undefined): Kept {
  const client = new SecretsManagerClient(endpoint === undefined ? {} : { endpoint });
  return {
    async read() {
      try {
        return (await client.send(new GetSecretValueCommand({ SecretId: arn }))).SecretString;
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    },
    async write(text) {
      await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: text }));
    },
  };
}

/** A parameter in Parameter Store. @param endpoint where another than AWS's listens */
export function keptParameter(name: string, endpoint: string | undefined): Kept {
  const client = new SSMClient(endpoint === undefined ? {} : { endpoint });
  return {
    async read() {
      try {
        return (await client.send(new GetParameterCommand({ Name: name }))).Parameter?.Value;
      } catch (error) {
        if (error instanceof ParameterNotFound) return undefined;
        throw error;
      }
    },
    async write(text) {
      await client.send(new PutParameterCommand({ Name: name, Value: text, Type: 'String', Overwrite: true }));
    },
  };
}
