import { RemovalPolicy, type Stack } from 'aws-cdk-lib/core';
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SESSIONS_KEY, TTL_ATTRIBUTE, USERS_KEY, type UsersPrefix } from '../functions/shared/store/schema.ts';
import type { Deployment } from './deployment-settings.ts';
import { standInFor } from './stand-ins.ts';

type ItemAction = `dynamodb:${'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'ConditionCheckItem' | 'Query'}`;

/** Actions on the kinds of item whose keys begin with these prefixes. */
export interface UsersRight {
  readonly actions: readonly ItemAction[];
  readonly on: readonly UsersPrefix[];
}

export interface UsersTable {
  readonly table: TableV2;
  /** Names the table to a function and gives it exactly these rights. */
  lendTo(fn: LambdaFunction, ...rights: readonly UsersRight[]): void;
}

export interface SessionsTable {
  readonly table: TableV2;
  /** Names the table to a function and gives it exactly these actions. */
  lendTo(fn: LambdaFunction, ...actions: readonly ItemAction[]): void;
}

/** Users: profiles, logins and failed attempts, told apart by the prefix of their key. */
export function usersTable(stack: Stack, deployment: Deployment): UsersTable {
  const table = new TableV2(stack, 'Users', {
    ...common(deployment),
    partitionKey: { name: USERS_KEY.partition, type: AttributeType.STRING },
  });
  return {
    table,
    lendTo(fn, ...rights) {
      name(fn, 'USERS_TABLE', table, deployment);
      for (const { actions, on } of rights) {
        fn.addToRolePolicy(
          new PolicyStatement({
            actions: [...actions],
            resources: [table.tableArn],
            conditions: {
              'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': on.map((prefix) => `${prefix}*`) },
              // ForAllValues is true of a request that has no leading key at all.
              Null: { 'dynamodb:LeadingKeys': 'false' },
            },
          }),
        );
      }
    },
  };
}

/** Sessions: one item for each login of each user. */
export function sessionsTable(stack: Stack, deployment: Deployment): SessionsTable {
  const table = new TableV2(stack, 'Sessions', {
    ...common(deployment),
    partitionKey: { name: SESSIONS_KEY.partition, type: AttributeType.STRING },
    sortKey: { name: SESSIONS_KEY.sort, type: AttributeType.STRING },
  });
  return {
    table,
    lendTo(fn, ...actions) {
      name(fn, 'SESSIONS_TABLE', table, deployment);
      fn.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources: [table.tableArn] }));
    },
  };
}

const common = ({ stack }: Deployment) => ({
  billing: Billing.onDemand(),
  timeToLiveAttribute: TTL_ATTRIBUTE,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: stack.pointInTimeRecovery === 'on' },
  deletionProtection: stack.deletionProtection === 'on',
  removalPolicy: stack.removalPolicy === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
});

function name(fn: LambdaFunction, variable: string, table: TableV2, deployment: Deployment): void {
  fn.addEnvironment(variable, table.tableName);
  standInFor(deployment, fn, 'DYNAMODB_ENDPOINT');
}
