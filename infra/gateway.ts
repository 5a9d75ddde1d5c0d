import { Duration, type Stack } from 'aws-cdk-lib/core';
import {
  AuthorizationType,
  AwsIntegration,
  EndpointType,
  RestApi,
  TokenAuthorizer,
  type IResource,
  type MethodDeploymentOptions,
  type MethodOptions,
} from 'aws-cdk-lib/aws-apigateway';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Deployment } from './deployment-settings.ts';
import { accessLogs } from './access-logs.ts';
import { endpointsOf, partsOf, type Endpoint, type Route } from './endpoints.ts';

/** A literal, because a reference to the stage from a function would be a dependency cycle. */
export const STAGE = 'v1';

/** The REST API before it has methods: functions need its id first, methods need the functions. */
export function restApi(stack: Stack, deployment: Deployment): RestApi {
  const logs = deployment.stack.accessLogs === 'on' ? accessLogs(stack, deployment) : undefined;
  const api = new RestApi(stack, 'Api', {
    restApiName: `latchkey-${deployment.environment}`,
    endpointConfiguration: { types: [EndpointType.REGIONAL] },
    cloudWatchRole: false,
    // Behind a custom domain it would be a second way in, one that knows other versions of TLS.
    ...(deployment.domain !== undefined && { disableExecuteApiEndpoint: true }),
    deployOptions: {
      stageName: STAGE,
      methodOptions: throttles(deployment),
      ...(deployment.stack.tracing === 'on' && { tracingEnabled: true }),
      ...logs?.ofStage,
    },
  });
  logs?.before(api.deploymentStage);
  // Our own outputs say it under a name that does not change.
  api.node.tryRemoveChild('Endpoint');
  return api;
}

/** Rate and burst of every method, and of the rows that have their own. */
function throttles(deployment: Deployment): Record<string, MethodDeploymentOptions> {
  const settings = deployment.stack;
  const limits: Record<string, MethodDeploymentOptions> = {
    '/*/*': { throttlingRateLimit: settings.throttleRate, throttlingBurstLimit: settings.throttleBurst },
  };
  for (const [, { routes, throttle }] of endpointsOf(deployment)) {
    if (throttle === undefined) continue;
    for (const route of routes) {
      limits[methodPath(route)] = {
        throttlingRateLimit: settings[`${throttle}ThrottleRate`],
        throttlingBurstLimit: settings[`${throttle}ThrottleBurst`],
      };
    }
  }
  return limits;
}

/**
 * The API's URL without a reference to its stage. No trailing slash: it is the default issuer. A custom domain leads to
 * the stage itself, so its URLs do not name one.
 */
export function baseUrl(stack: Stack, api: RestApi, { domain }: Deployment): string {
  if (domain !== undefined) return `https://${domain.name}`;
  return `https://${api.restApiId}.execute-api.${stack.region}.${stack.urlSuffix}/${STAGE}`;
}

/** Asks the authorizer for every route behind `bearer`. */
export function tokenAuthorizer(stack: Stack, fn: LambdaFunction, deployment: Deployment): TokenAuthorizer {
  return new TokenAuthorizer(stack, 'AccessToken', {
    authorizerName: 'access-token',
    handler: fn,
    identitySource: 'method.request.header.Authorization',
    // Schemes are case-insensitive (RFC 9110 section 11.1). What does not match counts as no credentials.
    validationRegex: '^[Bb][Ee][Aa][Rr][Ee][Rr] .+$',
    resultsCacheTtl: Duration.seconds(deployment.stack.authorizerCacheSeconds),
  });
}

/** Leads the routes of one endpoint to its function. */
export function addRoutes(
  stack: Stack,
  api: RestApi,
  fn: LambdaFunction,
  { routes, guard }: Endpoint,
  bearer: TokenAuthorizer,
): void {
  const options: MethodOptions =
    guard === 'bearer'
      ? { authorizationType: AuthorizationType.CUSTOM, authorizer: bearer }
      : { authorizationType: AuthorizationType.NONE };
  for (const route of routes) {
    const { method, path } = partsOf(route);
    api.root.resourceForPath(path).addMethod(method, integrationOf(fn), options);
    allowInvoke(stack, api, fn, `Allow${idOf(route)}`, `${method}${path}`);
  }
}

/** Leads everything that is no route to `fallback`: other methods, other paths. Call it after all routes. */
export function addFallback(stack: Stack, api: RestApi, fn: LambdaFunction): void {
  api.root.addResource('{proxy+}');
  for (const resource of resourcesBelow(api.root)) resource.addMethod('ANY', integrationOf(fn));
  allowInvoke(stack, api, fn, 'AllowAny', '*');
}

function* resourcesBelow(resource: IResource): Generator<IResource> {
  yield resource;
  for (const child of resource.node.children) {
    if ('addMethod' in child && 'path' in child) yield* resourcesBelow(child as IResource);
  }
}

/** Not LambdaIntegration: it would give every function two permissions for each method. */
const integrationOf = (fn: LambdaFunction) =>
  new AwsIntegration({ service: 'lambda', proxy: true, path: `2015-03-31/functions/${fn.functionArn}/invocations` });

function allowInvoke(stack: Stack, api: RestApi, fn: LambdaFunction, id: string, request: string): void {
  fn.addPermission(id, {
    principal: new ServicePrincipal('apigateway.amazonaws.com'),
    sourceArn: stack.formatArn({
      service: 'execute-api',
      resource: api.restApiId,
      // A permission takes `*` where a path has a parameter; `{id}` would match nothing.
      resourceName: `${STAGE}/${request.replaceAll(/\{[^}]+\}/g, '*')}`,
    }),
  });
}

/** `POST /api/token` as a stage's method setting names it. */
function methodPath(route: Route): string {
  const { method, path } = partsOf(route);
  return `${path}/${method}`;
}

const idOf = (route: Route) =>
  route.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_gap, letter: string) => letter.toUpperCase());
