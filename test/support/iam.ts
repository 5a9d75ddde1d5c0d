/**
 * Judges DynamoDB requests by the identity policies of a template, as IAM does and no engine: an explicit deny wins, then
 * an allow, else no. Small on purpose: what our policies do not use is an error, never a guess.
 */
import { isMembers } from '../../functions/shared/domain/unknown.ts';
import type { Assembly } from '../../infra/local/assembly.ts';
import { isLike } from '../../infra/local/policy.ts';
import { listOf, membersOf } from './template.ts';

/** One request as IAM sees it; a transaction is one for each of its items. */
export interface IamRequest {
  /** `dynamodb:GetItem` */
  readonly action: string;
  /** ARN of a table or of an index. */
  readonly resource: string;
  /** Values of partition keys; absent where the request has none, as in a scan. */
  readonly leadingKeys?: readonly string[];
}

export type Statement = Readonly<Record<string, unknown>>;

/** The statements of each function's role, by the logical id of the function. */
export function statementsByFunction(assembly: Assembly): ReadonlyMap<string, readonly Statement[]> {
  const policies = assembly.ofType('AWS::IAM::Policy');
  const roles = new Map(assembly.ofType('AWS::IAM::Role').map((role) => [role.id, role]));
  return new Map(
    assembly.ofType('AWS::Lambda::Function').map(({ id, properties }) => {
      const [roleId] = listOf(membersOf(properties['Role'])['Fn::GetAtt']).map(String);
      const role = roles.get(roleId ?? '');
      if (role === undefined) throw new Error(`The role of ${id} is not in the template.`);
      const { ManagedPolicyArns, Policies = [], PermissionsBoundary } = role.properties;
      if (ManagedPolicyArns !== undefined || PermissionsBoundary !== undefined)
        throw new Error(`The role of ${id} has rights that this template does not spell out.`);
      const named = `${assembly.template.stackName}-${role.id}`;
      const documents = [
        ...listOf(Policies).map((policy) => membersOf(policy)['PolicyDocument']),
        ...policies
          .filter((policy) => listOf(policy.properties['Roles']).includes(named))
          .map((policy) => policy.properties['PolicyDocument']),
      ];
      return [id, documents.flatMap((document) => listOf(membersOf(document)['Statement'])).map(membersOf)];
    }),
  );
}

/** @throws {Error} for a statement that is written in a way which this does not judge */
export function isAllowed(statements: readonly Statement[], request: IamRequest): boolean {
  const applying = statements.filter((statement) => applies(statement, request)).map(({ Effect }) => Effect);
  return applying.includes('Allow') && !applying.includes('Deny');
}

const ELEMENTS = new Set(['Sid', 'Effect', 'Action', 'Resource', 'Condition']);

function applies(statement: Statement, request: IamRequest): boolean {
  const strange = Object.keys(statement).find((element) => !ELEMENTS.has(element));
  if (strange !== undefined) throw new Error(`Statements with ${strange} are not judged.`);
  const { Action, Resource, Condition = {} } = statement;
  // Actions are compared in any case, resources are not.
  if (!listOf(Action).some((pattern) => isLike(pattern, request.action, 'in any case'))) return false;
  if (!listOf(Resource).some((pattern) => isLike(pattern, request.resource))) return false;
  return Object.entries(membersOf(Condition)).every(([operator, keys]) =>
    Object.entries(membersOf(keys)).every(([key, expected]) => {
      if (key !== 'dynamodb:LeadingKeys') throw new Error(`The condition key ${key} is not judged.`);
      return holds(operator, request.leadingKeys, listOf(expected).map(String));
    }),
  );
}

/** Whether a condition on a key with several values holds (IAM User Guide, "Set operators", "Null"). */
function holds(operator: string, values: readonly string[] | undefined, expected: readonly string[]): boolean {
  switch (operator) {
    case 'Null':
      return expected.includes(String(values === undefined));
    case 'ForAllValues:StringEquals':
      return (values ?? []).every((value) => expected.includes(value));
    case 'ForAllValues:StringLike':
      return (values ?? []).every((value) => expected.some((pattern) => isLike(pattern, value)));
    default:
      throw new Error(`The condition operator ${operator} is not judged.`);
  }
}

/** The partition key of each table, by the table's name. */
export type PartitionKeys = ReadonlyMap<string, string>;

export const partitionKeysOf = (assembly: Assembly): PartitionKeys =>
  new Map(
    assembly.ofType('AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table').map(({ id, properties }) => {
      const hash = listOf(properties['KeySchema'])
        .map(membersOf)
        .find(({ KeyType }) => KeyType === 'HASH');
      return [`${assembly.template.stackName}-${id}`, String(hash?.['AttributeName'])];
    }),
  );

/** What each item of a transaction needs: `TransactWriteItems` is no action of IAM's. */
const OF_TRANSACTIONS = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
} as const;

/**
 * The requests that IAM judges one call of DynamoDB's API by.
 *
 * @param operation `GetItem`, `TransactWriteItems`, …
 * @param input the call's body
 * @param arnOf the ARN of a table by its name
 */
export function requestsOf(
  operation: string,
  input: unknown,
  partitionKeys: PartitionKeys,
  arnOf: (table: string) => string,
): readonly IamRequest[] {
  const fields = membersOf(input);
  const request = (action: string, table: unknown, keys: readonly (string | undefined)[], index?: unknown) => {
    const leadingKeys = keys.filter((key) => key !== undefined);
    return {
      action: `dynamodb:${action}`,
      resource: arnOf(typeof index === 'string' ? `${String(table)}/index/${index}` : String(table)),
      ...(leadingKeys.length > 0 && { leadingKeys }),
    };
  };
  const keyIn = (table: unknown, attributes: unknown): string | undefined => {
    const value = isMembers(attributes) ? attributes[partitionKeys.get(String(table)) ?? ''] : undefined;
    return isMembers(value) ? Object.values(value).map(String)[0] : undefined;
  };
  if (Array.isArray(fields['TransactItems'])) {
    return fields['TransactItems'].flatMap((item) =>
      Object.entries(membersOf(item)).map(([kind, value]) => {
        const { TableName, Key, Item } = membersOf(value);
        const action = OF_TRANSACTIONS[kind as keyof typeof OF_TRANSACTIONS];
        if (action === undefined) throw new Error(`A transaction does not have ${kind}.`);
        return request(action, TableName, [keyIn(TableName, Key ?? Item)]);
      }),
    );
  }
  if (isMembers(fields['RequestItems'])) {
    return Object.entries(fields['RequestItems']).map(([table, wanted]) => {
      const rows = isMembers(wanted)
        ? listOf(wanted['Keys'])
        : listOf(wanted).map((one) => {
            const [of] = Object.values(membersOf(one)).map(membersOf);
            return of?.['Key'] ?? of?.['Item'];
          });
      return request(
        operation,
        table,
        rows.map((row) => keyIn(table, row)),
      );
    });
  }
  const { TableName, IndexName, Key, Item } = fields;
  return [request(operation, TableName, [keyIn(TableName, Key ?? Item) ?? queried(fields, partitionKeys)], IndexName)];
}

/** The partition that a query asks for: `#p = :p` in its key condition. */
function queried(fields: Statement, partitionKeys: PartitionKeys): string | undefined {
  const { TableName, KeyConditionExpression: condition, ExpressionAttributeNames: names = {} } = fields;
  if (typeof condition !== 'string') return undefined;
  const own = partitionKeys.get(String(TableName));
  for (const [, name = '', value = ''] of condition.matchAll(/(#?\w+)\s*=\s*(:\w+)/g)) {
    if ((membersOf(names)[name] ?? name) !== own) continue;
    return Object.values(membersOf(membersOf(fields['ExpressionAttributeValues'])[value])).map(String)[0];
  }
  return undefined;
}
