import { Annotations, type Stack } from 'aws-cdk-lib/core';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Deployment } from './deployment-settings.ts';
import { standInFor } from './stand-ins.ts';

export interface Mail {
  /** Lets a function send mails from our one address; nothing where no mail is sent. */
  lendTo(fn: LambdaFunction): void;
}

/**
 * Amazon SES. The identity is not ours to make: whoever owns the domain verifies it, once for each account and region.
 */
export function mail(stack: Stack, deployment: Deployment): Mail {
  const { mailIdentity, functions } = deployment;
  if (mailIdentity === undefined) {
    Annotations.of(stack).addInfo(
      'No mail is sent: without the setting mailFrom there is no email verification and no password reset.',
    );
  }
  return {
    lendTo(fn) {
      standInFor(deployment, fn, 'SES_ENDPOINT');
      if (mailIdentity === undefined) return;
      fn.addToRolePolicy(
        new PolicyStatement({
          actions: ['ses:SendEmail'],
          resources: [stack.formatArn({ service: 'ses', resource: 'identity', resourceName: mailIdentity })],
          conditions: { StringEquals: { 'ses:FromAddress': functions.mailFrom } },
        }),
      );
    },
  };
}
