import type { Stack } from 'aws-cdk-lib/core';

/** Where the functions' own metrics are: one namespace for each environment, without dimensions. */
export const metricsNamespace = (stack: Stack): string => `Latchkey/${stack.stackName}`;
