import { describe, expect, test } from '@jest/globals';
import { readersOf } from '../../functions/shared/http/cors.ts';
import { listOf, membersOf, templateFor } from '../support/template.ts';

/** Of dev, but for what is named. */
const other = templateFor({
  domainName: 'id.example.com',
  certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/0a1b',
  issuer: 'https://example.com/auth',
  loginReservedConcurrency: '7',
  corsOrigin: 'https://app.example.com https://www.example.com',
  cookieMode: 'on',
});
const edge = templateFor({
  env: 'prod',
  domainName: 'id.example.com',
  certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/0a1b',
  tracing: 'on',
  apiLogRole: 'existing',
  wafRateLimit: '1000',
  corsOrigin: 'https://app.example.com',
  cookieMode: 'on',
});

const stageOf = (template: typeof edge) => template.ofType('AWS::ApiGateway::Stage')[0]!.properties;
const variablesOf = (template: typeof edge, fn: string) =>
  membersOf(membersOf(template.at(fn)['Environment'])['Variables']);

/** Name of each rule of the firewall: what it does, and which rules of a set only count. */
const rules = () =>
  listOf(edge.at('WebAcl')['Rules']).map((rule) => {
    const { Name, Priority, Action, OverrideAction, Statement } = membersOf(rule);
    const { ManagedRuleGroupStatement: managed, RateBasedStatement: rate } = membersOf(Statement);
    return {
      Name,
      Priority,
      Action,
      OverrideAction,
      managed: managed === undefined ? undefined : membersOf(managed),
      rate,
    };
  });

test('the firewall stands before the stage, lets through what no rule blocks, and has all four rules', () => {
  expect(edge.at('WebAcl')).toMatchObject({ Scope: 'REGIONAL', DefaultAction: { Allow: {} } });
  expect(edge.at('WebAclOfApi')).toEqual({
    ResourceArn: 'arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/${Api/DeploymentStage.v1}',
    WebACLArn: '${WebAcl.Arn}',
  });
  expect(rules().map(({ Name, Priority }) => [Name, Priority])).toEqual([
    ['RateOfAddress', 0],
    ['LoginRateOfAddress', 1],
    ['AWSManagedRulesCommonRuleSet', 2],
    ['AWSManagedRulesKnownBadInputsRuleSet', 3],
  ]);
});

test('one address gets so many requests in five minutes, and far fewer logins', () => {
  const [all, logins] = rules();
  expect(all).toMatchObject({
    Action: { Block: {} },
    rate: { Limit: 1_000, AggregateKeyType: 'IP', EvaluationWindowSec: 300 },
  });
  expect(all!.rate).not.toHaveProperty('ScopeDownStatement');
  expect(logins).toMatchObject({
    Action: { Block: {} },
    rate: {
      Limit: 300,
      AggregateKeyType: 'IP',
      ScopeDownStatement: {
        ByteMatchStatement: {
          FieldToMatch: { UriPath: {} },
          PositionalConstraint: 'ENDS_WITH',
          SearchString: '/api/token',
          TextTransformations: [
            { Priority: 0, Type: 'URL_DECODE' },
            { Priority: 1, Type: 'NORMALIZE_PATH' },
          ],
        },
      },
    },
  });
});

test('no rule that reads bodies blocks: a password may look like an attack', () => {
  const counted = rules().flatMap(({ managed }) =>
    managed === undefined ? [] : [listOf(managed['RuleActionOverrides']).map(membersOf)],
  );
  expect(counted.flat().map(({ ActionToUse }) => ActionToUse)).toEqual(counted.flat().map(() => ({ Count: {} })));
  // Every rule of the two sets whose name says that it reads the body, and one that refuses a client without a name.
  expect(counted.map((set) => set.map(({ Name }) => Name))).toEqual([
    [
      'SizeRestrictions_BODY',
      'EC2MetaDataSSRF_BODY',
      'GenericLFI_BODY',
      'GenericRFI_BODY',
      'CrossSiteScripting_BODY',
      'NoUserAgent_HEADER',
    ],
    ['JavaDeserializationRCE_BODY', 'Log4JRCE_BODY', 'ReactJSRCE_BODY'],
  ]);
  for (const { managed, OverrideAction } of rules().slice(2)) {
    expect(managed).toMatchObject({ VendorName: 'AWS' });
    expect(OverrideAction).toEqual({ None: {} });
  }
});

test('a sample of a request, which anybody with the console can look at, has no token, no cookie and no password', () => {
  const { DataProtections } = membersOf(edge.at('WebAcl')['DataProtectionConfig']);
  expect(DataProtections).toEqual([
    { Field: { FieldType: 'SINGLE_HEADER', FieldKeys: ['authorization'] }, Action: 'SUBSTITUTION' },
    // Without keys: every cookie.
    { Field: { FieldType: 'SINGLE_COOKIE' }, Action: 'SUBSTITUTION' },
    { Field: { FieldType: 'QUERY_STRING' }, Action: 'SUBSTITUTION' },
    { Field: { FieldType: 'BODY' }, Action: 'SUBSTITUTION' },
  ]);
});

test('access logs are JSON in a group of their own, and say nothing that a caller wrote', () => {
  const { DestinationArn, Format } = membersOf(stageOf(edge)['AccessLogSetting']);
  expect(DestinationArn).toBe('arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${AccessLogs}');
  expect(edge.at('AccessLogs')).toMatchObject({ RetentionInDays: 90 });
  expect(String(Format)).not.toContain('\n');
  const fields = membersOf(JSON.parse(String(Format)));
  expect(fields).toMatchObject({ status: '$context.status', route: '$context.resourcePath' });
  // Not the path, the query, a header, the user agent, or anything else of the authorizer's than who it is.
  const said = Object.values(fields).map(String);
  expect(said.filter((value) => /\$context\.(path|identity\.(?!sourceIp$)|customDomain|domain)/.test(value))).toEqual(
    [],
  );
  expect(said.filter((value) => !/^\$context\.[A-Za-z.]+$/.test(value))).toEqual([]);
  expect(said.filter((value) => /authorizer\.(?!status$|error$|latency$|principalId$)/.test(value))).toEqual([]);
});

test('requests over a rate are counted from the access logs', () => {
  expect(edge.at('ThrottledRequests')).toEqual({
    LogGroupName: '${AccessLogs}',
    FilterPattern: '{ $.status = "429" }',
    MetricTransformations: [{ MetricName: 'Throttled', MetricNamespace: 'Latchkey/Latchkey-prod', MetricValue: '1' }],
  });
});

test("the account's role for access logs is left alone where the setting says so", () => {
  expect(edge.ofType('AWS::ApiGateway::Account')).toEqual([]);
  expect(edge.resources.map(({ path }) => path)).not.toContain('ApiLogRole');
});

test('a custom domain takes TLS 1.2 at least, leads to the stage itself, and closes the way around it', () => {
  expect(edge.at('Domain')).toMatchObject({
    DomainName: 'id.example.com',
    RegionalCertificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/0a1b',
    EndpointConfiguration: { Types: ['REGIONAL'] },
    SecurityPolicy: 'TLS_1_2',
  });
  const mapping = edge.at('DomainToStage');
  expect(mapping).toEqual({ DomainName: '${Domain}', RestApiId: '${Api}', Stage: '${Api/DeploymentStage.v1}' });
  expect(edge.at('Api')).toMatchObject({ DisableExecuteApiEndpoint: true });
  const values = Object.entries(edge.outputs).map(([name, output]) => [name, membersOf(output)['Value']]);
  expect(Object.fromEntries(values)).toMatchObject({
    ApiUrl: 'https://id.example.com',
    Issuer: 'https://id.example.com',
    DomainTarget: '${Domain.RegionalDomainName}',
    DomainTargetZone: '${Domain.RegionalHostedZoneId}',
  });
});

test('behind a custom domain the domain is the issuer, unless another is set', () => {
  for (const fn of ['Login', 'Authorizer', 'Jwks'])
    expect(variablesOf(edge, fn)['ISSUER']).toBe('https://id.example.com');
  expect(variablesOf(other, 'Login')['ISSUER']).toBe('https://example.com/auth');
  expect(membersOf(other.outputs['ApiUrl'])['Value']).toBe('https://id.example.com');
});

test('in prod logins that run at once are limited, so that a flood of them leaves the account something', () => {
  const reserved = (template: typeof edge) =>
    template
      .ofType('AWS::Lambda::Function')
      .flatMap(({ path, properties }) =>
        'ReservedConcurrentExecutions' in properties ? [[path, properties['ReservedConcurrentExecutions']]] : [],
      );
  expect(reserved(edge)).toEqual([['Login', 100]]);
  expect(reserved(other)).toEqual([['Login', 7]]);
});

test('a function that may not run now is a 503 that says when to come again, whatever API Gateway calls it', () => {
  const responses = edge.ofType('AWS::ApiGateway::GatewayResponse').map(({ properties }) => properties);
  const is5xx = ({ ResponseType }: (typeof responses)[number]) =>
    !/^(ACCESS_DENIED|BAD_|DEFAULT_4XX|EXPIRED|INVALID|MISSING|QUOTA|REQUEST_TOO|RESOURCE|THROTTLED|UNAUTH|UNSUPPORTED|WAF)/.test(
      String(ResponseType),
    );
  const answers = responses.filter(is5xx);
  // What has no response of its own has that of DEFAULT_5XX: API_CONFIGURATION_ERROR among them.
  expect(answers.map(({ ResponseType }) => ResponseType)).toEqual(
    expect.arrayContaining(['INTEGRATION_FAILURE', 'INTEGRATION_TIMEOUT', 'DEFAULT_5XX']),
  );
  for (const { StatusCode, ResponseParameters } of answers) {
    expect(StatusCode).toBe('503');
    expect(membersOf(ResponseParameters)['gatewayresponse.header.Retry-After']).toBe("'5'");
  }
});

describe('which pages may read what the gateway itself says', () => {
  const readersIn = (template: typeof edge) => {
    const all = template.ofType('AWS::ApiGateway::GatewayResponse').map(({ properties }) => {
      const headers = Object.entries(membersOf(properties['ResponseParameters'])).map(([name, value]) => [
        name.replace('gatewayresponse.header.', ''),
        String(value).slice(1, -1),
      ]);
      return headers.filter(([name = '']) => name.startsWith('Access-Control-') || name === 'Vary');
    });
    expect(all.length).toBeGreaterThan(10);
    expect(all).toEqual(all.map(() => all[0]));
    return Object.fromEntries(all[0] ?? []) as unknown;
  };

  test('where there is one origin: those that may read what the functions say, with their cookies', () => {
    const corsOrigin = 'https://app.example.com';
    expect(readersIn(edge)).toEqual(readersOf(corsOrigin, { corsOrigin, cookieMode: 'on' }));
  });

  test('where there are several: all, because none can be named, and none with cookies', () => {
    expect(readersIn(other)).toEqual(readersOf(undefined, { corsOrigin: '*', cookieMode: 'on' }));
  });

  test('every function that answers requests has the same settings for it', () => {
    const without = ['Authorizer', 'MakeKeys', 'RotateKeys'];
    const functions = other.ofType('AWS::Lambda::Function').map(({ path }) => path);
    expect(functions).toEqual(expect.arrayContaining(['Login', 'Fallback', 'Jwks', ...without]));
    for (const fn of functions.filter((path) => !without.includes(path))) {
      expect([fn, variablesOf(other, fn)]).toEqual([
        fn,
        expect.objectContaining({
          CORS_ORIGIN: 'https://app.example.com https://www.example.com',
          COOKIE_MODE: 'on',
        }),
      ]);
    }
  });
});

test('traces are written where the setting asks for them', () => {
  expect(stageOf(edge)).toMatchObject({ TracingEnabled: true });
  for (const { properties } of edge.ofType('AWS::Lambda::Function')) {
    expect(properties).toMatchObject({ TracingConfig: { Mode: 'Active' } });
  }
});
