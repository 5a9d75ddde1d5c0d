import { Duration, type Stack } from 'aws-cdk-lib/core';
import { Alarm, ComparisonOperator, type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Deployment } from './deployment-settings.ts';
import {
  eventMetric,
  requestMetrics,
  systemErrorsOf,
  tableThrottlesOf,
  throttledRequests,
  type Monitored,
} from './metrics-of.ts';

/** One alarm. Above `threshold` in `of` periods, or in `atLeast` of them, it pages. */
interface AlarmRow {
  readonly name: string;
  /** Section of docs/runbook.md that says what it means and what to do; its own name unless it shares one. */
  readonly section?: string;
  readonly metric: IMetric;
  readonly threshold: number;
  readonly atLeast?: number;
  readonly of?: number;
  readonly says: string;
}

/**
 * Functions whose single error is worth a page: nobody else answers for them. Of the others, a few errors in five minutes
 * page; what they answer with 500 and 503 is counted by the gateway.
 */
const ONE_ERROR_PAGES: ReadonlySet<string> = new Set(['MakeKeys', 'RotateKeys']);
/** Functions with a section of their own in the runbook. */
const OWN_SECTION: ReadonlySet<string> = new Set(['Authorizer', 'MakeKeys', 'RotateKeys']);

const FEW = 5;
const FIVE_MINUTES = Duration.minutes(5);
const QUARTER_HOUR = Duration.minutes(15);

/** Every alarm, for what pages. */
function rows(stack: Stack, monitored: Monitored, deployment: Deployment): readonly AlarmRow[] {
  const { requests, serverErrors, latency } = requestMetrics(monitored.api, FIVE_MINUTES);
  const tables = Object.entries(monitored.tables);
  const functions = Object.entries(monitored.functions);
  return [
    {
      name: 'TheftRate',
      metric: new MathExpression({
        label: 'thefts among refreshes, percent',
        // A restored phone looks like a thief, too: what pages is many of them.
        expression: `IF(FILL(thefts, 0) >= ${FEW}, 100 * FILL(thefts, 0) / (FILL(thefts, 0) + FILL(refreshes, 0)), 0)`,
        usingMetrics: {
          thefts: eventMetric(stack, 'Theft', QUARTER_HOUR),
          refreshes: eventMetric(stack, 'Refresh', QUARTER_HOUR),
        },
        period: QUARTER_HOUR,
      }),
      threshold: 1,
      says: 'One of a hundred refreshes or more comes with a refresh token that somebody else has used',
    },
    {
      name: 'ServerErrors',
      metric: new MathExpression({
        label: 'answers that are 5xx, percent',
        expression: `IF(errors >= ${FEW}, 100 * errors / requests, 0)`,
        usingMetrics: { errors: serverErrors, requests },
        period: FIVE_MINUTES,
      }),
      threshold: 1,
      atLeast: 2,
      of: 3,
      says: 'One of a hundred answers or more is a 5xx',
    },
    {
      name: 'Latency',
      metric: latency('p99'),
      threshold: 3_000,
      of: 3,
      says: 'One of a hundred requests takes three seconds or more',
    },
    ...(deployment.stack.accessLogs === 'on'
      ? [
          {
            name: 'Throttled',
            metric: throttledRequests(stack, FIVE_MINUTES),
            threshold: 100,
            of: 2,
            says: 'API Gateway refuses requests because a method is over its rate',
          },
        ]
      : []),
    ...functions.map(([name, fn]) => ({
      name: `${name}Errors`,
      section: OWN_SECTION.has(name) ? `${name}Errors` : 'FunctionErrors',
      metric: fn.metricErrors({ period: FIVE_MINUTES, statistic: 'Sum' }),
      threshold: ONE_ERROR_PAGES.has(name) ? 1 : FEW,
      says: `The function ${name} throws, crashes or runs out of time`,
    })),
    ...functions.map(([name, fn]) => ({
      name: `${name}Throttles`,
      section: 'FunctionThrottles',
      metric: fn.metricThrottles({ period: FIVE_MINUTES, statistic: 'Sum' }),
      threshold: FEW,
      of: 2,
      says: `Lambda runs no more of ${name} at once: its callers get a 503`,
    })),
    ...tables.map(([name, table]) => ({
      name: `${name}SystemErrors`,
      section: 'TableSystemErrors',
      metric: systemErrorsOf(name, table, FIVE_MINUTES),
      threshold: FEW,
      says: `DynamoDB fails on the table ${name}`,
    })),
    ...tables.map(([name, table]) => ({
      name: `${name}TableThrottles`,
      section: 'TableThrottles',
      metric: tableThrottlesOf(name, table, FIVE_MINUTES),
      threshold: FEW,
      of: 2,
      says: `DynamoDB refuses requests to the table ${name} because there are too many`,
    })),
  ];
}

/** Makes every alarm, and the topic through which they page and say that it is over. */
export function alarms(stack: Stack, monitored: Monitored, deployment: Deployment): Topic {
  const topic = alarmTopic(stack, deployment.alarmEmail);
  const page = new SnsAction(topic);
  for (const row of rows(stack, monitored, deployment)) {
    const { name, section = name, metric, threshold, of = 1, atLeast = of, says } = row;
    const alarm = new Alarm(stack, `${name}Alarm`, {
      alarmName: `${stack.stackName}-${name}`,
      alarmDescription: `${says}. See docs/runbook.md, ${section}.`,
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: of,
      datapointsToAlarm: atLeast,
      // Nobody logs in at night.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(page);
    alarm.addOkAction(page);
  }
  return topic;
}

function alarmTopic(stack: Stack, email: string | undefined): Topic {
  const topic = new Topic(stack, 'Alarms', { enforceSSL: true });
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
    }),
  );
  if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
  return topic;
}
