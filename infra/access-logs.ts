import { RemovalPolicy, type Stack } from 'aws-cdk-lib/core';
import {
  AccessLogFormat,
  CfnAccount,
  LogGroupLogDestination,
  type Stage,
  type StageOptions,
} from 'aws-cdk-lib/aws-apigateway';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FilterPattern, type LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Deployment } from './deployment-settings.ts';
import { keptLogs } from './log-group.ts';
import { metricsNamespace } from './metrics.ts';

/** Requests that API Gateway refused by its throttles, which it counts nowhere by themselves. */
export const THROTTLED_METRIC = 'Throttled';

/**
 * What a line says of a request. Not the path, which a caller can put anything into, but the route that took it; no
 * query, header or user agent for the same reason. All are texts, because API Gateway writes `-` where there is nothing.
 */
const FIELDS = {
  requestId: '$context.requestId',
  time: '$context.requestTimeEpoch',
  address: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  route: '$context.resourcePath',
  protocol: '$context.protocol',
  status: '$context.status',
  responseLatency: '$context.responseLatency',
  integrationLatency: '$context.integration.latency',
  functionStatus: '$context.integration.status',
  functionError: '$context.integration.error',
  authorizerStatus: '$context.authorizer.status',
  authorizerError: '$context.authorizer.error',
  authorizerLatency: '$context.authorizer.latency',
  refusal: '$context.error.responseType',
  waf: '$context.waf.status',
  user: '$context.authorizer.principalId',
};

export interface AccessLogs {
  readonly ofStage: StageOptions;
  /** Puts what the stage's logs need before the stage. */
  before(stage: Stage): void;
}

/** Access logs in JSON, in a group of their own. */
export function accessLogs(stack: Stack, deployment: Deployment): AccessLogs {
  const group = keptLogs(stack, 'AccessLogs', deployment);
  countThrottled(stack, group);
  const account = deployment.stack.apiLogRole === 'create' ? logRoleOfAccount(stack) : undefined;
  return {
    ofStage: {
      accessLogDestination: new LogGroupLogDestination(group),
      accessLogFormat: AccessLogFormat.custom(JSON.stringify(FIELDS)),
    },
    before(stage) {
      if (account !== undefined) stage.node.addDependency(account);
    },
  };
}

function countThrottled(stack: Stack, logGroup: LogGroup): void {
  new MetricFilter(stack, 'ThrottledRequests', {
    logGroup,
    filterPattern: FilterPattern.stringValue('$.status', '=', '429'),
    metricNamespace: metricsNamespace(stack),
    metricName: THROTTLED_METRIC,
    metricValue: '1',
  });
}

/**
 * The role with which API Gateway writes logs is one setting of a whole account in a region. It stays when the stack
 * goes, because another stack's logs may depend on it by then; so does its name in the account's settings.
 */
function logRoleOfAccount(stack: Stack): CfnAccount {
  const role = new Role(stack, 'ApiLogRole', {
    assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
    inlinePolicies: {
      // What API Gateway asks of such a role, which it checks when it is given one: it serves every API of the account.
      WriteLogs: new PolicyDocument({
        statements: [
          new PolicyStatement({
            actions: [
              'logs:CreateLogGroup',
              'logs:CreateLogStream',
              'logs:DescribeLogGroups',
              'logs:DescribeLogStreams',
              'logs:FilterLogEvents',
              'logs:GetLogEvents',
              'logs:PutLogEvents',
            ],
            resources: ['*'],
          }),
        ],
      }),
    },
  });
  role.applyRemovalPolicy(RemovalPolicy.RETAIN);
  const account = new CfnAccount(stack, 'ApiAccount', { cloudWatchRoleArn: role.roleArn });
  account.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return account;
}
