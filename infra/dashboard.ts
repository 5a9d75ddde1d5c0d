import { Duration, type Stack } from 'aws-cdk-lib/core';
import { Dashboard, GraphWidget, type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Deployment } from './deployment-settings.ts';
import {
  eventMetric,
  requestMetrics,
  systemErrorsOf,
  tableThrottlesOf,
  throttledRequests,
  type EventName,
  type Monitored,
} from './metrics-of.ts';

/** One graph: what it counts on the left, and where it helps another unit on the right. */
interface Graph {
  readonly title: string;
  readonly left: readonly IMetric[];
  readonly right?: readonly IMetric[];
}

const PERIOD = Duration.minutes(5);
const GRAPHS_IN_A_LINE = 3;
const WIDTH_OF_ALL = 24;

/** Lines of the dashboard, from what a user feels down to what it costs. */
function lines(stack: Stack, { api, functions, tables }: Monitored, deployment: Deployment): readonly Graph[][] {
  const { requests, clientErrors, serverErrors, latency } = requestMetrics(api, PERIOD);
  const events = (...names: readonly EventName[]) => names.map((name) => eventMetric(stack, name, PERIOD));
  const ofFunctions = (metric: (fn: (typeof functions)[string], label: string) => IMetric) =>
    Object.entries(functions).map(([name, fn]) => metric(fn, name));
  const ofTables = (metric: (table: (typeof tables)[string], label: string) => IMetric) =>
    Object.entries(tables).map(([name, table]) => metric(table, name));
  const sum = { period: PERIOD, statistic: 'Sum' };
  return [
    [
      { title: 'Logins', left: events('Login', 'LoginFailed', 'Locked') },
      { title: 'Refreshes', left: events('Refresh'), right: events('Fork', 'Adopt', 'Theft') },
      {
        title: 'Ends of sessions, accounts and mails',
        left: events('Logout', 'LogoutEverywhere', 'SessionEnded', 'PasswordChanged', 'PasswordChangeFailed'),
        right: events('Registered', 'PasswordReset', 'EmailChanged', 'AccountDeleted', 'MailFailed'),
      },
    ],
    [
      { title: 'Latency, ms', left: [latency('p50'), latency('p99')] },
      { title: 'Requests and refusals', left: [requests], right: [clientErrors, serverErrors] },
      {
        title: 'Throttles',
        left: ofFunctions((fn, label) => fn.metricThrottles({ ...sum, label })),
        right: [
          ...(deployment.stack.accessLogs === 'on' ? [throttledRequests(stack, PERIOD)] : []),
          ...ofTables((table, name) => tableThrottlesOf(name, table, PERIOD)),
        ],
      },
    ],
    [
      { title: 'Errors of functions', left: ofFunctions((fn, label) => fn.metricErrors({ ...sum, label })) },
      {
        title: 'Functions at once',
        left: ofFunctions((fn, label) =>
          fn.metric('ConcurrentExecutions', { period: PERIOD, statistic: 'Maximum', label }),
        ),
      },
      { title: 'Failures of DynamoDB', left: ofTables((table, name) => systemErrorsOf(name, table, PERIOD)) },
    ],
    [
      { title: 'Cost: requests', left: [requests] },
      {
        title: 'Cost: GB-seconds of functions',
        left: ofFunctions(gigabyteSeconds),
      },
      {
        title: 'Cost: units of DynamoDB',
        left: [
          ...ofTables((table, label) => table.metricConsumedWriteCapacityUnits({ ...sum, label: `${label}, written` })),
          ...ofTables((table, label) => table.metricConsumedReadCapacityUnits({ ...sum, label: `${label}, read` })),
        ],
      },
    ],
  ];
}

/** What Lambda charges for: memory times duration, which it reports in milliseconds. */
function gigabyteSeconds(fn: Monitored['functions'][string], label: string): IMetric {
  const id = `duration${label}`;
  const { defaultChild } = fn.node;
  const megabytes = defaultChild instanceof CfnFunction ? (defaultChild.memorySize ?? 128) : 128;
  return new MathExpression({
    label,
    expression: `${id} * ${megabytes} / 1024 / 1000`,
    usingMetrics: { [id]: fn.metricDuration({ period: PERIOD, statistic: 'Sum' }) },
    period: PERIOD,
  });
}

/** One page with what happens, how it feels and what it costs. */
export function dashboard(stack: Stack, monitored: Monitored, deployment: Deployment): Dashboard {
  return new Dashboard(stack, 'Dashboard', {
    dashboardName: stack.stackName,
    widgets: lines(stack, monitored, deployment).map((line) =>
      line.map(
        ({ title, left, right }) =>
          new GraphWidget({
            title,
            left: [...left],
            ...(right !== undefined && { right: [...right] }),
            width: WIDTH_OF_ALL / GRAPHS_IN_A_LINE,
          }),
      ),
    ),
  });
}
