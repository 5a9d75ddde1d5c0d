import type { Stack } from 'aws-cdk-lib/core';

/** Where CloudWatch keeps the counts of a stack's security events. */
export const metricsNamespace = (stack: Stack): string => `Latchkey/${stack.stackName}`;
