/**
 * What cdk-nag finds in the stack and we leave as it is, each with the reason. The tests run its packs AwsSolutions and
 * Serverless; they fail for a finding without a row here, and for a row without a finding.
 */
import { type Stack, Validations } from 'aws-cdk-lib/core';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { ENDPOINTS, type Endpoint } from './endpoints.ts';
import type { Deployment } from './deployment-settings.ts';

interface Acknowledgement {
  readonly rules: readonly string[];
  /** Construct paths below the stack, or every function. */
  readonly at: RegExp | 'functions';
  /** Only where a setting says so. */
  readonly where?: (settings: Deployment['stack'], functions: Deployment['functions']) => boolean;
  readonly reason: string;
}

/** Methods in front of which no authorizer stands, and each only those: `Api/Default/api/token/POST`. */
const OPEN_METHODS = Object.values<Endpoint>(ENDPOINTS)
  .filter(({ guard }) => guard === 'open')
  .flatMap(({ routes }) => routes.map((route) => route.replace(/^(\w+) (.*)$/, 'Api/Default$2/$1')));

const exactly = (paths: readonly string[]) =>
  new RegExp(`^(?:${paths.map((path) => path.replaceAll(/[.{}+]/g, String.raw`\$&`)).join('|')})/Resource$`);

const STAGE = /^Api\/DeploymentStage\.v1\/Resource$/;
const METHOD = /^Api\/Default\/(?:.+\/)?(?:ANY|GET|POST|PUT|PATCH|DELETE)\/Resource$/;

const ACKNOWLEDGEMENTS: readonly Acknowledgement[] = [
  {
    rules: ['AwsSolutions-APIG2'],
    at: /^Api\/Resource$/,
    reason:
      'A body validator of API Gateway can neither name each wrong field nor read forms, so the functions check every body before they do anything else.',
  },
  {
    rules: ['AwsSolutions-APIG4'],
    at: exactly(OPEN_METHODS),
    reason:
      'Who calls it has no access token yet: its credentials are in the body, or it asks for the public keys. A test holds the list.',
  },
  {
    rules: ['AwsSolutions-APIG4'],
    at: /\/ANY\/Resource$/,
    reason: 'Leads to a function without any rights, which answers 404, 405 or a redirect to whatever is no route.',
  },
  {
    rules: ['AwsSolutions-COG4'],
    at: METHOD,
    reason:
      'This service is itself what a Cognito user pool would be; its own authorizer stands before protected routes.',
  },
  {
    rules: ['AwsSolutions-APIG6'],
    at: STAGE,
    reason:
      'Execution logs carry headers, and tracing of data carries bodies: tokens and passwords. Access logs and the logs of the functions say what happened instead.',
  },
  {
    rules: ['AwsSolutions-APIG1', 'Serverless-APIGWAccessLogging'],
    at: STAGE,
    where: ({ accessLogs }) => accessLogs === 'off',
    reason: 'Switched off by the setting accessLogs, as in dev, where the logs of the functions say enough.',
  },
  {
    rules: ['AwsSolutions-APIG3'],
    at: STAGE,
    where: ({ waf }) => waf === 'off',
    reason: 'Switched off by the setting waf, as everywhere but in prod: it costs nine US dollars a month at rest.',
  },
  {
    rules: ['Serverless-APIGWXrayEnabled'],
    at: STAGE,
    where: ({ tracing }) => tracing === 'off',
    reason:
      'Switched off by the setting tracing: a request goes through one function, whose logs and metrics show the same.',
  },
  {
    rules: ['Serverless-LambdaTracing'],
    at: 'functions',
    where: ({ tracing }) => tracing === 'off',
    reason:
      'Switched off by the setting tracing: a request goes through one function, whose logs and metrics show the same.',
  },
  {
    rules: ['AwsSolutions-IAM5[Resource::*]'],
    at: /^[A-Za-z]+Role\/DefaultPolicy\/Resource$/,
    where: ({ tracing }) => tracing === 'on',
    reason: 'X-Ray knows no resources: its two write actions can be allowed on everything or not at all.',
  },
  {
    rules: ['AwsSolutions-IAM5[Resource::*]'],
    at: /^ApiLogRole\/Resource$/,
    where: ({ accessLogs, apiLogRole }) => accessLogs === 'on' && apiLogRole === 'create',
    reason:
      'API Gateway uses the one role of the account for the logs of every API, whose groups this stack cannot know.',
  },
  {
    rules: ['AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*]'],
    at: /^(?:Login|Refresh|Password|MakeKeys|RotateKeys)Role\/DefaultPolicy\/Resource$/,
    where: (_settings, { signing }) => signing !== 'secret',
    reason:
      'Each rotation makes a new key of KMS, whose name no template can know. The tag of our ring stands in its place wherever a key is used or removed.',
  },
  {
    rules: ['AwsSolutions-IAM5[Resource::*]'],
    at: /^(?:MakeKeys|RotateKeys)Role\/DefaultPolicy\/Resource$/,
    where: ({ tracing }, { signing }) => signing !== 'secret' && tracing === 'off',
    reason:
      'A key of KMS has no name before it is made, and a list of keys is one of all: KMS allows both on everything or not at all.',
  },
  {
    rules: ['Serverless-LambdaDLQ'],
    at: 'functions',
    reason:
      'Whoever calls it waits for the answer (API Gateway, CloudFormation), so that no event can get lost unseen.',
  },
  {
    rules: ['AwsSolutions-SMG4'],
    at: /^Peppers\/Resource$/,
    reason: 'A pepper must stay for as long as any stored password hash names it.',
  },
  {
    rules: ['Serverless-SNSRedrivePolicy'],
    at: /^Alarms\/.*@.*\/Resource$/,
    reason:
      'SNS retries an email by itself, and the state of an alarm stays in CloudWatch whether the mail arrives or not.',
  },
];

/** Says the reasons to cdk-nag, on exactly the constructs that they are about. Call it when the stack is complete. */
export function acknowledge(stack: Stack, { stack: settings, functions }: Deployment): void {
  const rows = ACKNOWLEDGEMENTS.filter(({ where }) => where?.(settings, functions) ?? true);
  for (const construct of stack.node.findAll()) {
    const path = construct.node.path.slice(stack.node.path.length + 1);
    const isFunction = construct instanceof CfnFunction;
    for (const { rules, reason } of rows.filter(({ at }) => (at === 'functions' ? isFunction : at.test(path)))) {
      Validations.of(construct).acknowledge(...rules.map((id) => ({ id, reason })));
    }
  }
}
