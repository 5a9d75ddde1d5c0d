import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Complaint } from '../local/complaint.ts';

/** Where the accounts of one stack are, deployed or local: what the operators' commands need to reach them. */
export interface StackAccess {
  readonly usersTable: string;
  readonly sessionsTable: string;
  /** Base URL of an engine that is not AWS's own. */
  readonly dynamoDbEndpoint?: string;
  /** The text of the pepper secret, read when a password is hashed and not before. */
  peppersSecret(): Promise<string>;
  close(): Promise<void>;
}

/**
 * A stack in the AWS account that the environment names (AWS_PROFILE, AWS_REGION, …), found by its outputs.
 *
 * @throws {Complaint} where there is no such stack, or it is none of Latchkey
 */
export async function deployedStack(name: string): Promise<StackAccess> {
  const output = await outputsOf(name);
  const secretId = output('PeppersSecret');
  return {
    usersTable: output('UsersTable'),
    sessionsTable: output('SessionsTable'),
    async peppersSecret() {
      const client = new SecretsManagerClient();
      try {
        return (await client.send(new GetSecretValueCommand({ SecretId: secretId }))).SecretString ?? '';
      } finally {
        client.destroy();
      }
    },
    close: () => Promise.resolve(),
  };
}

/**
 * The outputs of a stack by name.
 *
 * @throws {Complaint} where there is no such stack; the returned function, where it has no such output
 */
export async function outputsOf(name: string): Promise<(key: string) => string> {
  const outputs = await allOutputsOf(name);
  return (key) => {
    const value = outputs.get(key);
    if (value === undefined) throw new Complaint(`The stack "${name}" has no output ${key}: is it one of Latchkey?`);
    return value;
  };
}

async function allOutputsOf(name: string): Promise<ReadonlyMap<string, string>> {
  const client = new CloudFormationClient();
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name }));
    const outputs = Stacks?.[0]?.Outputs ?? [];
    return new Map(outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
  } catch (error) {
    // CloudFormation has no error of its own for it; what it says of a bad name is worth reading, too.
    if (error instanceof Error && error.name === 'ValidationError') {
      throw new Complaint(
        `CloudFormation finds no stack "${name}" in ${await client.config.region()}: ${error.message}`,
      );
    }
    throw error;
  } finally {
    client.destroy();
  }
}
