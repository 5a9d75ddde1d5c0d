import type { Stack } from 'aws-cdk-lib/core';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import type { Deployment } from './deployment-settings.ts';

/** A managed rule set of AWS, and those of its rules that only count. */
interface ManagedRules {
  readonly name: string;
  readonly counted: readonly string[];
}

/**
 * Rules that look into bodies only count. A body here is a password or a token: some of them look like an attack, and
 * whoever has such a password could never log in. The functions refuse a body over 16 KB themselves, with a 413.
 */
const MANAGED: readonly ManagedRules[] = [
  {
    name: 'AWSManagedRulesCommonRuleSet',
    counted: [
      'SizeRestrictions_BODY',
      'EC2MetaDataSSRF_BODY',
      'GenericLFI_BODY',
      'GenericRFI_BODY',
      'CrossSiteScripting_BODY',
      // A service that does not say what it is may still log in.
      'NoUserAgent_HEADER',
    ],
  },
  {
    name: 'AWSManagedRulesKnownBadInputsRuleSet',
    counted: ['JavaDeserializationRCE_BODY', 'Log4JRCE_BODY', 'ReactJSRCE_BODY'],
  },
];

/** The window of both rate rules. */
const FIVE_MINUTES_IN_SECONDS = 300;

/** Everything before the API: a limit for each address, and AWS's own rules on what requests look like. */
export function webAcl(stack: Stack, api: RestApi, { stack: settings }: Deployment): CfnWebACL {
  const rules = [
    rateRule('RateOfAddress', settings.wafRateLimit),
    rateRule('LoginRateOfAddress', settings.wafLoginRateLimit, '/api/token'),
    ...MANAGED.map(managedRule),
  ];
  const acl = new CfnWebACL(stack, 'WebAcl', {
    scope: 'REGIONAL',
    defaultAction: { allow: {} },
    visibilityConfig: visibleAs('WebAcl'),
    // Samples of requests can be looked at in the console: they must show no token and no password.
    dataProtectionConfig: {
      dataProtections: [
        { field: { fieldType: 'SINGLE_HEADER', fieldKeys: ['authorization'] }, action: 'SUBSTITUTION' },
        // Every cookie there is: those of cookie mode are tokens.
        { field: { fieldType: 'SINGLE_COOKIE' }, action: 'SUBSTITUTION' },
        { field: { fieldType: 'QUERY_STRING' }, action: 'SUBSTITUTION' },
        { field: { fieldType: 'BODY' }, action: 'SUBSTITUTION' },
      ],
    },
    rules: rules.map((rule, priority) => ({ ...rule, priority })),
  });
  new CfnWebACLAssociation(stack, 'WebAclOfApi', {
    resourceArn: api.deploymentStage.stageArn,
    webAclArn: acl.attrArn,
  });
  return acl;
}

type Rule = Omit<CfnWebACL.RuleProperty, 'priority'>;

/** Blocks an address above so many requests in five minutes, of all or of those whose path ends like this. */
const rateRule = (name: string, limit: number, pathEnd?: string): Rule => ({
  name,
  action: { block: {} },
  visibilityConfig: visibleAs(name),
  statement: {
    rateBasedStatement: {
      limit,
      aggregateKeyType: 'IP',
      evaluationWindowSec: FIVE_MINUTES_IN_SECONDS,
      ...(pathEnd !== undefined && {
        scopeDownStatement: {
          byteMatchStatement: {
            fieldToMatch: { uriPath: {} },
            // The path begins with the stage, or does not behind a custom domain.
            positionalConstraint: 'ENDS_WITH',
            searchString: pathEnd,
            // API Gateway finds the route for `/api/%74oken` as well.
            textTransformations: [
              { priority: 0, type: 'URL_DECODE' },
              { priority: 1, type: 'NORMALIZE_PATH' },
            ],
          },
        },
      }),
    },
  },
});

const managedRule = ({ name, counted }: ManagedRules): Rule => ({
  name,
  overrideAction: { none: {} },
  visibilityConfig: visibleAs(name),
  statement: {
    managedRuleGroupStatement: {
      vendorName: 'AWS',
      name,
      ruleActionOverrides: counted.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
    },
  },
});

const visibleAs = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
  metricName,
  cloudWatchMetricsEnabled: true,
  sampledRequestsEnabled: true,
});
