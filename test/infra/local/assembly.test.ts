import { afterEach, expect, test } from '@jest/globals';
import { rmSync } from 'node:fs';
import { readAssembly } from '../../../infra/local/assembly.ts';
import { type TinyStack, serveTinyStack, writeTinyStack } from './tiny-stack.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const read = (stack: TinyStack) => {
  const folder = writeTinyStack(stack);
  folders.push(folder);
  return readAssembly(folder);
};

test.each<[string, TinyStack, string]>([
  [
    'a resource type',
    { more: { Q: { Type: 'AWS::SQS::Queue' } } },
    'does not know resources of type AWS::SQS::Queue (Q)',
  ],
  ['an intrinsic', { stage: { StageName: { 'Fn::Base64': 'x' } } }, 'does not know the intrinsic Fn::Base64'],
  ['a condition', { more: { T: { Type: 'AWS::DynamoDB::Table', Condition: 'C' } } }, 'does not know conditions (T)'],
  ['an integration', { integration: { Type: 'MOCK' } }, 'does not know integrations of type MOCK'],
  ['an API from a document', { api: { Body: {} } }, 'does not know the property Body'],
  ['a runtime', { of: { echo: { Runtime: 'python3.13' } } }, 'runs Node.js functions, not python3.13'],
  ['a second API', { more: { B: { Type: 'AWS::ApiGateway::RestApi' } } }, 'exactly one REST API'],
  [
    'a function that is missing',
    { integration: { Uri: 'arn:aws:apigateway:us-east-1:sqs:path/x' } },
    'does not know the integration',
  ],
  [
    'an authorizer that is missing',
    { methods: { 'GET /': '!echo' }, more: { Authorizer: { Type: 'AWS::IAM::Role' } } },
    'authorizer of',
  ],
  ['a compressed answer', { api: { MinimumCompressionSize: 0 } }, 'does not know the property MinimumCompressionSize'],
  ['a resource policy', { api: { Policy: {} } }, 'does not know the property Policy'],
  ['a canary', { stage: { CanarySetting: {} } }, 'does not know the property CanarySetting'],
  ['a cache', { stage: { MethodSettings: [{ CachingEnabled: true }] } }, 'does not keep answers'],
  [
    'a validator',
    { integration: {}, method: { RequestValidatorId: 'v' } },
    'does not know the property RequestValidatorId',
  ],
  ['an API key', { method: { ApiKeyRequired: true } }, 'does not know API keys'],
  ['another kind of authorization', { method: { AuthorizationType: 'AWS_IAM' } }, 'authorization of type AWS_IAM'],
  ['a mapped parameter', { integration: { RequestParameters: {} } }, 'does not know the property RequestParameters'],
  ['a streamed answer', { integration: { ResponseTransferMode: 'STREAM' } }, 'does not stream answers'],
  ['a layer', { of: { echo: { Layers: ['arn'] } } }, 'does not know Layers of a function'],
  ['a file system', { of: { echo: { FileSystemConfigs: [] } } }, 'does not know FileSystemConfigs of a function'],
  ['a bundle without its file', { of: { echo: { Handler: 'main.handler' } } }, 'has no main.js'],
  ['a parameter without a default', { stage: { StageName: { Ref: 'P' } }, parameters: { P: {} } }, 'P has no default'],
  [
    'an attribute',
    { stage: { StageName: { 'Fn::GetAtt': ['echo', 'Version'] } } },
    'does not know Fn::GetAtt echo.Version',
  ],
  [
    'a key that is no text',
    {
      more: {
        T: {
          Type: 'AWS::DynamoDB::Table',
          Properties: { AttributeDefinitions: [{ AttributeName: 'a', AttributeType: 'N' }] },
        },
      },
    },
    'makes keys of type S only',
  ],
  [
    'a secret made by a pattern',
    {
      more: {
        S: {
          Type: 'AWS::SecretsManager::Secret',
          Properties: { GenerateSecretString: { SecretStringTemplate: '{}' } },
        },
      },
    },
    'SecretStringTemplate',
  ],
  ['a reference into nowhere', { stage: { StageName: { Ref: 'Nobody' } } }, 'no resource or parameter Nobody'],
])('%s that it does not play is refused at the start, by name', async (_what, stack, message) => {
  await expect(serveTinyStack(stack)).rejects.toThrow(message);
});

test('a folder that is no cloud assembly is called so', () => {
  expect(() => readAssembly('/nowhere')).toThrow('/nowhere is no cloud assembly');
});

test.each([
  ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
  ['Ref of a table', { Ref: 'Table' }, 'Tiny-Table'],
  ['Ref of a function', { Ref: 'echo' }, 'Tiny-echo'],
  [
    'Fn::GetAtt as a list',
    { 'Fn::GetAtt': ['Table', 'Arn'] },
    'arn:aws:dynamodb:us-east-1:000000000000:table/Tiny-Table',
  ],
  ['Fn::GetAtt as a text', { 'Fn::GetAtt': 'echo.Arn' }, 'arn:aws:lambda:us-east-1:000000000000:function:Tiny-echo'],
  ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Partition' }]] }, 'a-aws'],
  ['Fn::Select and Fn::Split', { 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
  [
    'Fn::Sub',
    { 'Fn::Sub': '${AWS::Region}/${Table}/${echo.Arn}/${!Kept}' },
    'us-east-1/Tiny-Table/arn:aws:lambda:us-east-1:000000000000:function:Tiny-echo/${Kept}',
  ],
  ['Fn::FindInMap with the region', { 'Fn::FindInMap': ['Map', { Ref: 'AWS::Region' }, 'name'] }, 'mapped'],
  ['Ref of a parameter', { Ref: 'Parameter' }, 'its default'],
  [
    'Fn::Sub with its own variables',
    { 'Fn::Sub': ['${A}-${AWS::StackName}', { A: { Ref: 'Table' } }] },
    'Tiny-Table-Tiny',
  ],
])('%s is resolved', (_what, value, expected) => {
  const assembly = read({
    more: { Table: { Type: 'AWS::DynamoDB::GlobalTable' } },
    mappings: { Map: { 'us-east-1': { name: 'mapped' } } },
    parameters: { Parameter: { Default: 'its default' } },
    outputs: { It: { Value: value } },
  });
  expect(assembly.output('It')).toBe(expected);
});

test('ids are the same at every start and of AWS’s shape', () => {
  const stack = { outputs: { It: { Value: { Ref: 'Api' } } } };
  expect(read(stack).output('It')).toMatch(/^[a-z0-9]{10}$/);
  expect(read(stack).output('It')).toBe(read(stack).output('It'));
});

test('an output that is not there is named', () => {
  expect(() => read({}).output('Nothing')).toThrow('The output Nothing');
});
