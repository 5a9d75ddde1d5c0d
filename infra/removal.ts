import { RemovalPolicy } from 'aws-cdk-lib/core';
import type { Deployment } from './deployment-settings.ts';

/**
 * What becomes of a thing without which the stack is nothing, when the stack is deleted. Kept things go all the same with a
 * deployment that made them and failed: each try would leave another set of them behind. Tables are not among them, because
 * their deletion protection would make that failed deployment hang.
 */
export const keptOrNot = ({ stack }: Deployment): RemovalPolicy =>
  stack.removalPolicy === 'retain' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
