import { expect, test } from '@jest/globals';
import { readersOf } from '../../functions/shared/http/cors.ts';
import { reply } from '../../functions/shared/http/reply.ts';
import { listOf, membersOf, templateFor } from '../support/template.ts';

const template = templateFor({ mailFrom: 'auth@example.com' });
const custom = templateFor({
  authorizerCacheSeconds: '0',
  corsOrigin: 'https://app.example.com',
  loginThrottleRate: '3',
});

/** What leads where: `POST /api/token` to `Login`, open or through the authorizer. */
const methods = template.ofType('AWS::ApiGateway::Method').map(({ path, properties }) => {
  const at = path.replace('Api/Default', '');
  const slash = at.lastIndexOf('/');
  const integration = membersOf(properties['Integration']);
  return {
    route: `${at.slice(slash + 1)} ${at.slice(0, slash) || '/'}`,
    method: properties['HttpMethod'],
    fn: /functions\/\$\{(\w+)\.Arn\}\/invocations$/.exec(String(integration['Uri']))?.[1],
    guard: properties['AuthorizationType'],
    authorizer: properties['AuthorizerId'],
    kind: `${String(integration['Type'])} ${String(integration['IntegrationHttpMethod'])}`,
    keys: Object.keys(properties).toSorted().join(' '),
  };
});

const ROUTES = {
  'POST /api/token': 'Login',
  'POST /api/token/refresh': 'Refresh',
  'POST /api/token/verify': 'Verify',
  'POST /api/token/blacklist': 'Blacklist',
  'POST /api/password': 'Password',
  'POST /api/users': 'Register',
  'GET /api/profile': 'Profile',
  'PATCH /api/profile': 'Account',
  'DELETE /api/profile': 'Account',
  'GET /api/profile/export': 'Account',
  'POST /api/email/verify': 'VerifyEmail',
  'POST /api/password/reset': 'ResetPassword',
  'POST /api/password/reset/confirm': 'ConfirmReset',
  'GET /api/sessions': 'Devices',
  'DELETE /api/sessions': 'Devices',
  'DELETE /api/sessions/{id}': 'Devices',
  'GET /.well-known/jwks.json': 'Jwks',
  'GET /.well-known/openid-configuration': 'Jwks',
  'GET /.well-known/oauth-authorization-server': 'Jwks',
  'GET /openapi.json': 'Openapi',
};

test('each route leads to its function, as a proxy, and ANY of every path to fallback', () => {
  const paths = template
    .ofType('AWS::ApiGateway::Resource')
    .map(({ path }) => path.replace('Api/Default', ''))
    .concat('/');
  const wanted = { ...ROUTES, ...Object.fromEntries(paths.map((path) => [`ANY ${path}`, 'Fallback'])) };
  expect(Object.fromEntries(methods.map(({ route, fn }) => [route, fn]))).toEqual(wanted);
  expect(paths).toEqual(expect.arrayContaining(['/', '/{proxy+}', '/api', '/api/token', '/.well-known']));
  expect(new Set(methods.map(({ kind }) => kind))).toEqual(new Set(['AWS_PROXY POST']));
  expect(methods.filter(({ route, method }) => !route.startsWith(`${String(method)} `))).toEqual([]);
});

test('exactly these methods are open to anyone', () => {
  const open = methods.filter(({ guard }) => guard === 'NONE').map(({ route }) => route);
  expect(open.filter((route) => !route.startsWith('ANY ')).toSorted()).toEqual(
    [
      'POST /api/token',
      'POST /api/token/refresh',
      'POST /api/token/verify',
      'POST /api/token/blacklist',
      'POST /api/users',
      'POST /api/email/verify',
      'POST /api/password/reset',
      'POST /api/password/reset/confirm',
      'GET /.well-known/jwks.json',
      'GET /.well-known/openid-configuration',
      'GET /.well-known/oauth-authorization-server',
      'GET /openapi.json',
    ].toSorted(),
  );
  const guarded = methods.filter(({ guard }) => guard !== 'NONE');
  expect(guarded.map(({ route }) => route).toSorted()).toEqual([
    'DELETE /api/profile',
    'DELETE /api/sessions',
    'DELETE /api/sessions/{id}',
    'GET /api/profile',
    'GET /api/profile/export',
    'GET /api/sessions',
    'PATCH /api/profile',
    'POST /api/password',
  ]);
  for (const { guard, authorizer } of guarded) expect([guard, authorizer]).toEqual(['CUSTOM', '${AccessToken}']);
});

test('no method checks bodies or asks for an API key', () => {
  expect(template.ofType('AWS::ApiGateway::RequestValidator')).toEqual([]);
  expect(new Set(methods.map(({ keys }) => keys))).toEqual(
    new Set([
      'AuthorizationType HttpMethod Integration ResourceId RestApiId',
      'AuthorizationType AuthorizerId HttpMethod Integration ResourceId RestApiId',
    ]),
  );
});

test('fallback knows the methods of each path that is deployed', () => {
  const mailless = templateFor();
  const known = membersOf(membersOf(mailless.at('Fallback')['Environment'])['Variables']);
  expect(JSON.parse(String(known['ROUTES']))).not.toHaveProperty('/api/password/reset');
  const variables = membersOf(membersOf(template.at('Fallback')['Environment'])['Variables']);
  const paths: Record<string, string[]> = {};
  for (const route of Object.keys(ROUTES)) {
    const [method, path] = route.split(' ');
    (paths[path!] ??= []).push(method!);
  }
  expect(JSON.parse(String(variables['ROUTES']))).toEqual(paths);
});

test('the authorizer reads Authorization, takes Bearer in any case, and is asked again after a minute', () => {
  expect(template.ofType('AWS::ApiGateway::Authorizer')).toHaveLength(1);
  const authorizer = template.at('AccessToken');
  expect(authorizer).toMatchObject({
    Type: 'TOKEN',
    IdentitySource: 'method.request.header.Authorization',
    AuthorizerResultTtlInSeconds: 60,
    RestApiId: '${Api}',
  });
  expect(JSON.stringify(authorizer['AuthorizerUri'])).toContain('/functions/","${Authorizer.Arn}","/invocations"');
  const accepts = new RegExp(String(authorizer['IdentityValidationExpression']));
  for (const header of ['Bearer x', 'bearer x.y.z', 'BEARER  x', 'BeArEr x']) expect(header).toMatch(accepts);
  for (const header of ['', 'Bearer', 'Bearer ', 'Basic x', 'Token x', 'xBearer x'])
    expect(header).not.toMatch(accepts);
  expect(custom.at('AccessToken')['AuthorizerResultTtlInSeconds']).toBe(0);
});

/** Type of refusal: status, detail, and headers beyond those of every answer. */
const REFUSALS: Readonly<Record<string, readonly [number, string, Record<string, string>?]>> = {
  UNAUTHORIZED: [401, 'Authentication credentials were not provided.', { 'WWW-Authenticate': 'Bearer realm="api"' }],
  ACCESS_DENIED: [
    401,
    'Given token not valid for any token type',
    { 'WWW-Authenticate': 'Bearer realm="api", error="invalid_token"' },
  ],
  WAF_FILTERED: [403, 'The request was refused.'],
  RESOURCE_NOT_FOUND: [404, 'Not found.'],
  MISSING_AUTHENTICATION_TOKEN: [404, 'Not found.'],
  REQUEST_TOO_LARGE: [413, 'The request body is too large.'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'Unsupported media type in request.'],
  THROTTLED: [429, 'Request was throttled.', { 'Retry-After': '1' }],
  QUOTA_EXCEEDED: [429, 'Request was throttled.', { 'Retry-After': '1' }],
  DEFAULT_4XX: [400, 'The request could not be read.'],
  AUTHORIZER_FAILURE: [503, 'The service is temporarily unavailable.', { 'Retry-After': '5' }],
  AUTHORIZER_CONFIGURATION_ERROR: [503, 'The service is temporarily unavailable.', { 'Retry-After': '5' }],
  INTEGRATION_FAILURE: [503, 'The service is temporarily unavailable.', { 'Retry-After': '5' }],
  INTEGRATION_TIMEOUT: [503, 'The service is temporarily unavailable.', { 'Retry-After': '5' }],
  DEFAULT_5XX: [503, 'The service is temporarily unavailable.', { 'Retry-After': '5' }],
};

test('the gateway answers these refusals itself, and no other', () => {
  const types = template.ofType('AWS::ApiGateway::GatewayResponse').map(({ properties }) => properties['ResponseType']);
  expect(types.toSorted()).toEqual(Object.keys(REFUSALS).toSorted());
});

test.each(Object.entries(REFUSALS))('%s is a problem document that a browser may read', (type, refusal) => {
  const [status, detail, headers = {}] = refusal;
  const response = template
    .ofType('AWS::ApiGateway::GatewayResponse')
    .find(({ properties }) => properties['ResponseType'] === type)!.properties;
  expect(response['StatusCode']).toBe(String(status));

  const templates = membersOf(response['ResponseTemplates']);
  expect(Object.keys(templates)).toEqual(['application/json']);
  const body = membersOf(JSON.parse(String(templates['application/json'])));
  expect(body).toEqual({
    type: 'about:blank',
    title: expect.stringMatching(/^[A-Z]/),
    status,
    detail,
    ...(type === 'ACCESS_DENIED' && { code: 'token_not_valid' }),
  });

  // The same as what the functions put on every answer, so that a caller cannot tell who refused.
  const common = { ...reply(status, '', {}).headers, ...readersOf(undefined, { corsOrigin: '*', cookieMode: 'off' }) };
  expect(literals(response['ResponseParameters'])).toEqual({
    ...common,
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...headers,
  });
});

test('another origin is allowed by name, and caches are told', () => {
  const response = custom.at('Api/OnThrottled');
  expect(literals(response['ResponseParameters'])).toMatchObject({
    'Access-Control-Allow-Origin': 'https://app.example.com',
    Vary: 'Origin',
  });
});

test('one regional API with one stage, throttled, logins and resets most of all', () => {
  expect(template.at('Api')).toEqual({ Name: 'latchkey-dev', EndpointConfiguration: { Types: ['REGIONAL'] } });
  const [stage, ...others] = template.ofType('AWS::ApiGateway::Stage');
  expect(others).toEqual([]);
  expect(stage?.properties).toMatchObject({ StageName: 'v1' });
  const limits = listOf(stage?.properties['MethodSettings']).map(membersOf);
  const limitOf = (path: string) => limits.find(({ ResourcePath }) => ResourcePath === path)!;
  expect(limitOf('/*')).toMatchObject({ HttpMethod: '*', ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 });
  const costly = limits.filter(({ ResourcePath }) => ResourcePath !== '/*');
  expect(
    costly.map(({ HttpMethod, ResourcePath }) => `${String(HttpMethod)} ${String(ResourcePath)}`).toSorted(),
  ).toEqual([
    'DELETE /~1api~1profile',
    'GET /~1api~1profile~1export',
    'PATCH /~1api~1profile',
    'POST /~1api~1password',
    'POST /~1api~1password~1reset',
    'POST /~1api~1password~1reset~1confirm',
    'POST /~1api~1token',
    'POST /~1api~1users',
  ]);
  for (const limit of costly) expect(limit).toMatchObject({ ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 });
  // Bodies hold passwords and headers tokens: the gateway must not log them.
  expect(limits.filter(({ DataTraceEnabled }) => DataTraceEnabled !== false)).toEqual([]);
  expect(template.ofType('AWS::ApiGateway::Account')).toEqual([]);
});

/** Header values that API Gateway takes literally, in single quotes. */
const literals = (parameters: unknown) =>
  Object.fromEntries(
    Object.entries(membersOf(parameters)).map(([name, value]) => {
      expect(name).toMatch(/^gatewayresponse\.header\./);
      expect(value).toMatch(/^'.*'$/);
      return [name.replace('gatewayresponse.header.', ''), String(value).slice(1, -1)];
    }),
  );

test('where nobody may register, neither the route nor the function is there', () => {
  for (const context of [{ env: 'prod' }, { env: 'dev', registration: 'off' }]) {
    const without = templateFor(context);
    expect(without.ofType('AWS::ApiGateway::Resource').map(({ path }) => path)).not.toContain('Api/Default/api/users');
    expect(without.ofType('AWS::Lambda::Function').map(({ path }) => path)).not.toContain('Register');
    expect(JSON.stringify(without.at('Fallback')['Environment'])).not.toContain('/api/users');
  }
});
