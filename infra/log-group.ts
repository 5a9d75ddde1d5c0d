import type { Stack } from 'aws-cdk-lib/core';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Deployment } from './deployment-settings.ts';
import { keptOrNot } from './removal.ts';

const RETENTION = {
  '1': RetentionDays.ONE_DAY,
  '7': RetentionDays.ONE_WEEK,
  '14': RetentionDays.TWO_WEEKS,
  '30': RetentionDays.ONE_MONTH,
  '60': RetentionDays.TWO_MONTHS,
  '90': RetentionDays.THREE_MONTHS,
  '180': RetentionDays.SIX_MONTHS,
  '365': RetentionDays.ONE_YEAR,
  '731': RetentionDays.TWO_YEARS,
} as const satisfies Record<Deployment['stack']['logRetentionDays'], RetentionDays>;

/** A log group that forgets, and that goes or stays with the stack as the data does. */
export const keptLogs = (stack: Stack, id: string, deployment: Deployment): LogGroup =>
  new LogGroup(stack, id, {
    retention: RETENTION[deployment.stack.logRetentionDays],
    removalPolicy: keptOrNot(deployment),
  });
