import { randomUUID } from 'node:crypto';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
  type GetSecretValueCommandInput,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, ParameterNotFound, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { KeptText, RotatingSecret, SecretVersion } from '../domain/kept.ts';

const CURRENT = 'AWSCURRENT';
const PENDING = 'AWSPENDING';
/** What a version is called from when it is written until it is current; one without any label may be removed. */
const DRAFT = 'LATCHKEY_DRAFT';

/** The client that {@link keptSecret} works with. @param endpoint where another than AWS's listens */
export const secretsManager = (endpoint?: string) =>
  new SecretsManagerClient(endpoint === undefined ? {} : { endpoint });

/** The client that {@link keptParameter} works with. @param endpoint where another than AWS's listens */
export const parameterStore = (endpoint?: string) => new SSMClient(endpoint === undefined ? {} : { endpoint });

/**
 * A secret in Secrets Manager, of which a version becomes current only in the place of the one that it was made from:
 * UpdateSecretVersionStage refuses to move a label away from a version that has it no more.
 */
export function keptSecret(client: SecretsManagerClient, arn: string): RotatingSecret {
  const version = async (of: Partial<GetSecretValueCommandInput>): Promise<SecretVersion | undefined> => {
    try {
      const { VersionId, SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn, ...of }));
      return VersionId === undefined || SecretString === undefined ? undefined : { id: VersionId, text: SecretString };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };
  const put = (id: string, text: string, label: string) =>
    client.send(
      new PutSecretValueCommand({ SecretId: arn, ClientRequestToken: id, SecretString: text, VersionStages: [label] }),
    );
  const secret: RotatingSecret = {
    current: () => version({ VersionStage: CURRENT }),
    async replace(text, replaces) {
      const id = randomUUID();
      await put(id, text, replaces === undefined ? CURRENT : DRAFT);
      return replaces === undefined || secret.promote(id, replaces.id);
    },
    async stateOf(id) {
      const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: arn }));
      const labels = VersionIdsToStages[id] ?? [];
      return labels.includes(CURRENT) ? 'current' : labels.includes(PENDING) ? 'pending' : 'gone';
    },
    textOf: async (id) => (await version({ VersionId: id }))?.text,
    pendingText: async () => (await version({ VersionStage: PENDING }))?.text,
    async putPending(id, text) {
      try {
        await put(id, text, PENDING);
      } catch (error) {
        // Somebody was faster, and what they put stays.
        if (!(error instanceof ResourceExistsException)) throw error;
      }
    },
    async promote(id, replaces) {
      try {
        await client.send(
          new UpdateSecretVersionStageCommand({
            SecretId: arn,
            VersionStage: CURRENT,
            MoveToVersionId: id,
            RemoveFromVersionId: replaces,
          }),
        );
        return true;
      } catch (error) {
        // What the service calls this refusal is not said; which version is current tells it from an outage, and from
        // the second try of a request whose first one succeeded.
        const found = await secret.current();
        if (found?.id === id) return true;
        if (found?.id !== replaces) return false;
        throw error;
      }
    },
    async giveUp(id) {
      try {
        await client.send(
          new UpdateSecretVersionStageCommand({ SecretId: arn, VersionStage: PENDING, RemoveFromVersionId: id }),
        );
      } catch (error) {
        if ((await secret.stateOf(id)) === 'pending') throw error;
      }
    },
  };
  return secret;
}

/** A parameter in Parameter Store. */
export const keptParameter = (client: SSMClient, name: string): KeptText => ({
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
});
