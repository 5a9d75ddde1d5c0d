/** The metrics that alarms and the dashboard look at, each named in one place. */
import type { Duration, Stack } from 'aws-cdk-lib/core';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { SECURITY_EVENTS, SecurityEvent } from '../functions/shared/domain/events.ts';
import { THROTTLED_METRIC } from './access-logs.ts';
import { metricsNamespace } from './metrics.ts';

/** What there is to watch. */
export interface Monitored {
  readonly api: RestApi;
  /** By logical id. */
  readonly functions: Readonly<Record<string, LambdaFunction>>;
  readonly tables: Readonly<Record<string, TableV2>>;
}

/** What the functions count of themselves: one metric for each security event. */
export type EventName = (typeof SECURITY_EVENTS)[SecurityEvent];

export const eventMetric = (stack: Stack, metricName: EventName, period: Duration): Metric =>
  new Metric({ namespace: metricsNamespace(stack), metricName, statistic: 'Sum', period });

/** Requests that API Gateway answered with 429, counted from the access logs. */
export const throttledRequests = (stack: Stack, period: Duration): Metric =>
  new Metric({ namespace: metricsNamespace(stack), metricName: THROTTLED_METRIC, statistic: 'Sum', period });

export const requestMetrics = (api: RestApi, period: Duration) => ({
  requests: api.metricCount({ period, statistic: 'Sum' }),
  clientErrors: api.metricClientError({ period, statistic: 'Sum' }),
  serverErrors: api.metricServerError({ period, statistic: 'Sum' }),
  latency: (statistic: string) => api.metricLatency({ period, statistic, label: statistic }),
});

/** What the functions ask of a table. */
const OPERATIONS = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'TransactWriteItems'];

/** Requests to a table that ended with an error of DynamoDB's own, over all operations. @param name of the table, here */
export const systemErrorsOf = (name: string, table: TableV2, period: Duration): IMetric =>
  sumOf(
    `${name}, system errors`,
    OPERATIONS.map((Operation) => [
      `failed${Operation}${name}`,
      table.metric('SystemErrors', {
        dimensionsMap: { TableName: table.tableName, Operation },
        statistic: 'Sum',
        period,
      }),
    ]),
    period,
  );

export const tableThrottlesOf = (name: string, table: TableV2, period: Duration): IMetric =>
  sumOf(
    `${name}, throttled`,
    ['Read', 'Write'].map((kind) => [
      `throttled${kind}s${name}`,
      table.metric(`${kind}ThrottleEvents`, { statistic: 'Sum', period }),
    ]),
    period,
  );

/** @param metrics by an id that no other metric of the same graph has */
const sumOf = (label: string, metrics: readonly (readonly [string, IMetric])[], period: Duration): IMetric =>
  new MathExpression({
    label,
    // A metric without data would leave the whole sum without.
    expression: metrics.map(([id]) => `FILL(${id}, 0)`).join(' + '),
    usingMetrics: Object.fromEntries(metrics),
    period,
  });
