import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DescribeTableCommand, DescribeTimeToLiveCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Engine, startEngine } from '../../../infra/local/engine.ts';
import { engineKind } from '../../support/local-gateway.ts';
import { type TinyStack, serveTinyStack } from './tiny-stack.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ kind: engineKind() });
});
afterAll(() => engine.stop());

const TABLE = {
  Type: 'AWS::DynamoDB::GlobalTable',
  Properties: {
    AttributeDefinitions: [
      { AttributeName: 'a', AttributeType: 'S' },
      { AttributeName: 'b', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'a', KeyType: 'HASH' },
      { AttributeName: 'b', KeyType: 'RANGE' },
    ],
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
  },
};

/** A custom resource behind a function of this source. */
const custom = (source: string, more: TinyStack['more'] = {}): TinyStack => ({
  functions: { maker: source },
  methods: { 'GET /': 'maker' },
  more: {
    Keys: {
      Type: 'Custom::Keys',
      Properties: { ServiceToken: { 'Fn::GetAtt': ['maker', 'Arn'] }, Algorithm: 'ES256' },
    },
    ...more,
  },
});
const answering = (Status: string, Reason = '') => `exports.handler = async (event) => {
  process.stdout.write(JSON.stringify(event) + '\\n');
  const body = JSON.stringify({ Status: '${Status}', Reason: '${Reason}' });
  await fetch(event.ResponseURL, { method: 'PUT', body });
};`;
const serve = (stack: TinyStack) => serveTinyStack(stack, { engineEndpoint: engine.endpoint });

test('tables are made as the template has them, and kept where they are', async () => {
  await (await serve({ more: { Things: TABLE } })).close();
  await (await serve({ more: { Things: TABLE } })).close();
  const client = new DynamoDBClient({
    endpoint: engine.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const { Table } = await client.send(new DescribeTableCommand({ TableName: 'Tiny-Things' }));
  expect(Table?.KeySchema).toEqual(TABLE.Properties.KeySchema);
  expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST');
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: 'Tiny-Things' }));
  expect(TimeToLiveDescription).toMatchObject({ AttributeName: 'ttl', TimeToLiveStatus: 'ENABLED' });
  client.destroy();
});

test('an index is refused rather than left out', async () => {
  const indexed = { ...TABLE, Properties: { ...TABLE.Properties, GlobalSecondaryIndexes: [{}] } };
  await expect(serve({ more: { Things: indexed } })).rejects.toThrow('does not know GlobalSecondaryIndexes of a table');
});

test('an engine that does not answer is one clear line', async () => {
  const stack = { more: { Things: TABLE } };
  await expect(serveTinyStack(stack, { engineEndpoint: 'http://127.0.0.1:9' })).rejects.toThrow(
    /^The DynamoDB engine at http:\/\/127\.0\.0\.1:9 does not make the tables/,
  );
});

test('a custom resource’s function gets CloudFormation’s event once, before the first request', async () => {
  const gateway = await serve(custom(answering('SUCCESS')));
  expect(gateway.logs).toHaveLength(1);
  const event = JSON.parse(gateway.logs[0] ?? '') as Record<string, unknown>;
  expect(event).toMatchObject({
    RequestType: 'Create',
    LogicalResourceId: 'Keys',
    ResourceType: 'Custom::Keys',
    StackId: expect.stringContaining(':stack/Tiny/'),
    RequestId: expect.any(String),
    ResourceProperties: { Algorithm: 'ES256', ServiceToken: event['ServiceToken'] },
  });
  await gateway.close();
});

test.each([
  ['says FAILED', answering('FAILED', 'no luck'), 'The custom resource Keys could not be made: no luck'],
  ['throws', `exports.handler = async () => { throw new Error('x'); };`, 'did not answer'],
  ['says nothing', 'exports.handler = async () => {};', 'did not answer'],
])('a custom resource whose function %s stops the start', async (_what, source, message) => {
  await expect(serve(custom(source))).rejects.toThrow(message);
});

test('secrets begin with a random text or their own, parameters with theirs', async () => {
  const more = {
    Random: { Type: 'AWS::SecretsManager::Secret', Properties: { GenerateSecretString: {} } },
    Own: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: 'own', Name: 'named' } },
    Set: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: 'not made yet' } },
  };
  const variables = { SECRETS_ENDPOINT: 'x', RANDOM: { Ref: 'Random' }, OWN: { Ref: 'Own' }, SET: { Ref: 'Set' } };
  const gateway = await serve({
    functions: {
      read: `exports.handler = async () => {
        const { SECRETS_ENDPOINT, RANDOM, OWN, SET, AWS_SESSION_TOKEN } = process.env;
        const headers = { 'X-Aws-Parameters-Secrets-Token': AWS_SESSION_TOKEN };
        const get = async (path) => (await fetch(SECRETS_ENDPOINT + path, { headers })).json();
        const secret = (id) => get('/secretsmanager/get?secretId=' + encodeURIComponent(id));
        const all = [await secret(RANDOM), await secret(OWN), await get('/systemsmanager/parameters/get?name=' + SET)];
        return { statusCode: 200, body: JSON.stringify(all) };
      };`,
    },
    of: { read: { Environment: { Variables: variables } } },
    methods: { 'GET /': 'read' },
    more,
  });
  expect((await gateway.ask('/')).json).toEqual([
    expect.objectContaining({ SecretString: expect.stringMatching(/^[\w-]{32}$/) }),
    expect.objectContaining({ SecretString: 'own', Name: 'named' }),
    { Parameter: expect.objectContaining({ Value: 'not made yet', Name: 'Tiny-Set' }) },
  ]);
  await gateway.close();
});

describe('a rotation schedule', () => {
  const stack = (lambda: object): TinyStack => ({
    functions: {
      rotate: `exports.handler = async (event) => void process.stdout.write(JSON.stringify(event) + '\\n');`,
    },
    methods: { 'GET /': 'rotate' },
    more: {
      Own: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: 'own', Name: 'named' } },
      Rotation: {
        Type: 'AWS::SecretsManager::RotationSchedule',
        Properties: { SecretId: { Ref: 'Own' }, RotationLambdaARN: lambda },
      },
    },
  });

  test('rotates nothing by itself; RotateSecret calls its function with the four steps', async () => {
    const gateway = await serve(stack({ 'Fn::GetAtt': ['rotate', 'Arn'] }));
    expect(gateway.logs).toEqual([]);
    const client = new SecretsManagerClient({
      endpoint: gateway.secretsEndpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    await client.send(new RotateSecretCommand({ SecretId: 'named' }));
    client.destroy();
    const steps = gateway.logs.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(steps.map(({ Step }) => Step)).toEqual(['createSecret', 'setSecret', 'testSecret', 'finishSecret']);
    await gateway.close();
  });

  test('whose function is not in the template is refused', async () => {
    await expect(serve(stack({ 'Fn::GetAtt': ['Own', 'Id'] }))).rejects.toThrow('names a function that is not in');
  });
});
