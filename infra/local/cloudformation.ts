/** Plays what CloudFormation does at `cdk deploy`: makes tables, secrets and parameters, calls custom resources. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import {
  CreateTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { type Assembly, isCustomResource } from './assembly.ts';
import { Complaint } from './complaint.ts';
import { fieldsOf, isFields, jsonOf, listOf, textOf } from './fields.ts';
import { REGION, type Resource, physicalId, stackId } from './intrinsics.ts';
import type { LambdaFunction } from './lambda.ts';
import { listen } from './listen.ts';
import type { SecretsStandIn } from './secrets-stand-in.ts';
import type { SecretsStore } from './secrets-store.ts';

/** Makes the tables that are missing. @throws {Complaint} when the engine does not answer, or for an index */
export async function createTables(assembly: Assembly, endpoint: string): Promise<void> {
  const client = new DynamoDBClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 2,
  });
  try {
    for (const table of assembly.ofType('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable')) {
      await createTable(client, table, assembly);
    }
  } catch (error) {
    if (error instanceof Complaint) throw error;
    const cause = error instanceof Error ? error.name : String(error);
    throw new Complaint(`The DynamoDB engine at ${endpoint} does not make the tables (${cause}).`);
  } finally {
    client.destroy();
  }
}

async function createTable(client: DynamoDBClient, resource: Resource, assembly: Assembly): Promise<void> {
  const { id, properties } = resource;
  for (const property of ['GlobalSecondaryIndexes', 'LocalSecondaryIndexes', 'StreamSpecification']) {
    // A global table says its stream only to replicate, which one machine does not.
    const replicates = property === 'StreamSpecification' && resource.type === 'AWS::DynamoDB::GlobalTable';
    if (properties[property] !== undefined && !replicates) {
      throw new Complaint(`The local gateway does not know ${property} of a table (${id}).`);
    }
  }
  const TableName = physicalId(resource, assembly.template);
  try {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: listOf(properties['AttributeDefinitions'], id).map((row) => {
          const { AttributeName, AttributeType } = fieldsOf(row, id);
          if (AttributeType !== 'S') throw new Complaint(`The local gateway makes keys of type S only (${id}).`);
          return { AttributeName: textOf(AttributeName, id), AttributeType };
        }),
        KeySchema: listOf(properties['KeySchema'], id).map((row) => {
          const { AttributeName, KeyType } = fieldsOf(row, id);
          return { AttributeName: textOf(AttributeName, id), KeyType: KeyType === 'HASH' ? 'HASH' : 'RANGE' };
        }),
      }),
    );
  } catch (error) {
    if (error instanceof ResourceInUseException) return;
    throw error;
  }
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { TableName });
  const ttl = properties['TimeToLiveSpecification'];
  if (!isFields(ttl)) return;
  const AttributeName = textOf(ttl['AttributeName'], id);
  await client.send(
    new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName, Enabled: true } }),
  );
}

/** Makes the secrets and parameters that are missing, with the first value that the template gives them. */
export function declareSecrets(assembly: Assembly, store: SecretsStore): void {
  for (const resource of assembly.ofType('AWS::SecretsManager::Secret')) {
    const { Name, SecretString, GenerateSecretString } = resource.properties;
    if (isFields(GenerateSecretString) && GenerateSecretString['SecretStringTemplate'] !== undefined) {
      throw new Complaint(`The local gateway does not know SecretStringTemplate (${resource.id}).`);
    }
    const text = SecretString === undefined ? randomBytes(24).toString('base64url') : textOf(SecretString, resource.id);
    const name = Name === undefined ? `${assembly.template.stackName}-${resource.id}` : textOf(Name, resource.id);
    store.declareSecret(physicalId(resource, assembly.template), name, text);
  }
  for (const resource of assembly.ofType('AWS::SSM::Parameter')) {
    const { Value } = resource.properties;
    store.declareParameter(physicalId(resource, assembly.template), textOf(Value, `${resource.id}.Value`));
  }
}

/**
 * Says which functions rotate the template's secrets. The schedule itself is left out: here a rotation runs when it is asked
 * for.
 *
 * @throws {Complaint} where a schedule names a function that is not in the template
 */
export function scheduleRotations(
  assembly: Assembly,
  functions: ReadonlyMap<string, LambdaFunction>,
  secrets: SecretsStandIn,
): void {
  for (const { id, properties } of assembly.ofType('AWS::SecretsManager::RotationSchedule')) {
    const fn = functions.get(textOf(properties['RotationLambdaARN'], `${id}.RotationLambdaARN`));
    if (fn === undefined) throw new Complaint(`The schedule ${id} names a function that is not in the template.`);
    secrets.rotateWith(
      textOf(properties['SecretId'], `${id}.SecretId`),
      async (event) => (await fn.invoke(event)).kind === 'answer',
    );
  }
}

/**
 * Calls the functions behind the template's custom resources as CloudFormation does at the first deployment, and
 * waits for what each says to its ResponseURL.
 *
 * @throws {Complaint} when one fails or says nothing
 */
export async function callCustomResources(
  assembly: Assembly,
  functions: ReadonlyMap<string, LambdaFunction>,
): Promise<void> {
  const resources = [...assembly.template.resources.values()].filter(({ type }) => isCustomResource(type));
  for (const { id, type, properties } of assembly.ofType(...resources.map((one) => one.type))) {
    const fn = functions.get(textOf(properties['ServiceToken'], `${id}.ServiceToken`));
    if (fn === undefined)
      throw new Complaint(`The custom resource ${id} names a function that is not in the template.`);
    const given = Object.fromEntries(Object.entries(properties).filter(([name]) => !['Role', 'Layers'].includes(name)));
    const { url, said, close } = await responseUrl();
    try {
      const outcome = await fn.invoke({
        RequestType: 'Create',
        ServiceToken: fn.arn,
        ResponseURL: url,
        StackId: stackId(assembly.template.stackName),
        RequestId: randomUUID(),
        ResourceType: type,
        LogicalResourceId: id,
        ResourceProperties: given,
      });
      const { Status, Reason } = said() ?? { Status: undefined, Reason: undefined };
      if (outcome.kind === 'answer' && Status === 'SUCCESS') continue;
      const why = typeof Reason === 'string' ? Reason : 'it did not answer; see its log above.';
      throw new Complaint(`The custom resource ${id} could not be made: ${why}`);
    } finally {
      await close();
    }
  }
}

/** A place to which one custom resource says how it went. */
async function responseUrl() {
  let body: unknown;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      body = jsonOf(Buffer.concat(chunks).toString('utf8'), 'The custom resource’s answer');
      response.end();
    });
  });
  const { endpoint, close } = await listen(server, { host: '127.0.0.1', port: 0 });
  return { url: `${endpoint}/`, close, said: () => (isFields(body) ? body : undefined) };
}
