import { expect, test } from '@jest/globals';
import { isAllowed, requestsOf, type IamRequest } from './iam.ts';

const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/Users';
const arnOf = (table: string) => `arn:aws:dynamodb:us-east-1:000000000000:table/${table}`;
const partitionKeys = new Map([
  ['Users', 'pk'],
  ['Sessions', 'userId'],
]);
const get = (...leadingKeys: string[]): IamRequest => ({ action: 'dynamodb:GetItem', resource: TABLE, leadingKeys });
const allow = { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: TABLE };
const onUsers = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['USER#*'] } };
const withKey = { Null: { 'dynamodb:LeadingKeys': 'false' } };
const noKey: IamRequest = { action: 'dynamodb:GetItem', resource: TABLE };

test.each<[string, object[], IamRequest, boolean]>([
  ['nothing', [], get('USER#1'), false],
  ['an allow', [allow], get('USER#1'), true],
  ['an allow of another action', [{ ...allow, Action: ['dynamodb:PutItem'] }], get('USER#1'), false],
  ['an allow of another resource', [{ ...allow, Resource: `${TABLE}2` }], get('USER#1'), false],
  ['an allow of the table alone, for its index', [allow], { ...get('USER#1'), resource: `${TABLE}/index/a` }, false],
  ['an action with a wildcard in any case', [{ ...allow, Action: 'DynamoDB:Get*' }], get('USER#1'), true],
  ['a resource in another case', [{ ...allow, Resource: TABLE.toUpperCase() }], get('USER#1'), false],
  ['a deny among allows', [allow, { ...allow, Effect: 'Deny' }, allow], get('USER#1'), false],
  ['a condition that holds', [{ ...allow, Condition: onUsers }], get('USER#1'), true],
  ['a condition that does not', [{ ...allow, Condition: onUsers }], get('LOGIN#a'), false],
  [
    'a condition that does not hold for one of two keys',
    [{ ...allow, Condition: onUsers }],
    get('USER#1', 'LOGIN#a'),
    false,
  ],
  ['a condition on all values where there is none', [{ ...allow, Condition: onUsers }], noKey, true],
  ['the same that also asks for a value', [{ ...allow, Condition: { ...onUsers, ...withKey } }], noKey, false],
])('%s decides as IAM does', (_what, statements, request, verdict) => {
  expect(
    isAllowed(
      statements.map((one) => ({ ...one })),
      request,
    ),
  ).toBe(verdict);
});

test.each([
  [{ Effect: 'Allow', NotAction: 'x', Resource: '*' }, 'NotAction'],
  [{ ...allow, Condition: { StringEquals: { 'aws:SourceIp': 'x' } } }, 'aws:SourceIp'],
  [{ ...allow, Condition: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': 'x' } } }, 'ForAnyValue:StringLike'],
])('what it does not judge is an error: %j', (statement, named) => {
  expect(() => isAllowed([statement], get('USER#1'))).toThrow(named);
});

const S = (text: string) => ({ S: text });
test.each<[string, object, readonly [string, string, string[]?][]]>([
  ['GetItem', { TableName: 'Users', Key: { pk: S('USER#1') } }, [['GetItem', 'Users', ['USER#1']]]],
  ['PutItem', { TableName: 'Users', Item: { a: S('x'), pk: S('USER#1') } }, [['PutItem', 'Users', ['USER#1']]]],
  ['Scan', { TableName: 'Users' }, [['Scan', 'Users']]],
  ['Query', { TableName: 'Sessions', IndexName: 'byTime' }, [['Query', 'Sessions/index/byTime']]],
  [
    'Query',
    {
      TableName: 'Sessions',
      KeyConditionExpression: '#s > :s AND #u = :u',
      ExpressionAttributeNames: { '#u': 'userId', '#s': 'sessionId' },
      ExpressionAttributeValues: { ':u': S('user'), ':s': S('session') },
    },
    [['Query', 'Sessions', ['user']]],
  ],
  [
    'TransactWriteItems',
    {
      TransactItems: [
        { Put: { TableName: 'Users', Item: { pk: S('USER#1') } } },
        { Update: { TableName: 'Sessions', Key: { userId: S('1'), sessionId: S('2') } } },
        { ConditionCheck: { TableName: 'Users', Key: { pk: S('LOGIN#a') } } },
        { Delete: { TableName: 'Users', Key: { pk: S('EMAIL#a') } } },
      ],
    },
    [
      ['PutItem', 'Users', ['USER#1']],
      ['UpdateItem', 'Sessions', ['1']],
      ['ConditionCheckItem', 'Users', ['LOGIN#a']],
      ['DeleteItem', 'Users', ['EMAIL#a']],
    ],
  ],
  [
    'BatchGetItem',
    { RequestItems: { Users: { Keys: [{ pk: S('USER#1') }, { pk: S('LOGIN#a') }] } } },
    [['BatchGetItem', 'Users', ['USER#1', 'LOGIN#a']]],
  ],
  [
    'BatchWriteItem',
    {
      RequestItems: {
        Users: [{ PutRequest: { Item: { pk: S('USER#1') } } }, { DeleteRequest: { Key: { pk: S('A') } } }],
      },
    },
    [['BatchWriteItem', 'Users', ['USER#1', 'A']]],
  ],
])('%s of %j is judged by its actions, tables and keys', (operation, input, expected) => {
  expect(requestsOf(operation, input, partitionKeys, arnOf)).toEqual(
    expected.map(([action, table, leadingKeys]) => ({
      action: `dynamodb:${action}`,
      resource: arnOf(table),
      ...(leadingKeys && { leadingKeys }),
    })),
  );
});
