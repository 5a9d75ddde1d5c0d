/** Resources and methods of the template's REST API, matched as API Gateway matches them. */
import createRouter from 'find-my-way';
import { Complaint } from './complaint.ts';
import type { Assembly } from './assembly.ts';
import type { Authorizer } from './authorizer.ts';
import { fieldsOf, isFields, listOf, numberOf, textOf, textsOf } from './fields.ts';
import { type Resource, physicalId, resolve } from './intrinsics.ts';
import type { LambdaFunction } from './lambda.ts';

/** API Gateway's limit, which a template may lower. */
const INTEGRATION_TIMEOUT_MILLISECONDS = 29_000;

export interface Method {
  readonly fn: LambdaFunction;
  /** Undefined where anyone may call. */
  readonly authorize: Authorizer | undefined;
  readonly timeoutMilliseconds: number;
}

/** What methods lead to: functions by ARN, authorizers by id. */
interface Behind {
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly authorizers: ReadonlyMap<string, Authorizer>;
}

export interface Match {
  readonly resourceId: string;
  /** The resource's template, such as `/api/sessions/{id}`. */
  readonly resource: string;
  readonly pathParameters: Readonly<Record<string, string>> | null;
  /** Undefined when the resource takes neither this method nor `ANY`. */
  readonly method: Method | undefined;
}

export interface Api {
  readonly id: string;
  readonly stage: string;
  readonly stageVariables: Readonly<Record<string, string>> | null;
  readonly binaryMediaTypes: readonly string[];
  /** @param path the raw path of the request, without query; percent-encoded */
  match(httpMethod: string, path: string): Match | undefined;
}

/** @throws {Complaint} when the template has no REST API, several, or one with features the gateway does not play */
export function apiFrom(assembly: Assembly, behind: Behind): Api {
  const [api, ...otherApis] = assembly.ofType('AWS::ApiGateway::RestApi');
  const [stage, ...otherStages] = assembly.ofType('AWS::ApiGateway::Stage');
  if (api === undefined || stage === undefined || otherApis.length + otherStages.length > 0) {
    throw new Complaint('The local gateway serves a template with exactly one REST API and one stage.');
  }
  refuse(api, 'Body', 'BodyS3Location', 'CloneFrom', 'MinimumCompressionSize', 'Policy');
  refuse(stage, 'CanarySetting');
  if ([stage.properties, ...listOf(stage.properties['MethodSettings'], stage.id)].some(isCached))
    throw new Complaint(`The local gateway does not keep answers as the cache of ${stage.id} would.`);
  const { StageName, Variables } = stage.properties;
  return {
    id: physicalId(api, assembly.template),
    stage: textOf(StageName, 'StageName'),
    stageVariables: Variables === undefined ? null : textsOf(Variables, 'Variables'),
    binaryMediaTypes: listOf(api.properties['BinaryMediaTypes'], 'BinaryMediaTypes').map((type) =>
      textOf(type, 'BinaryMediaTypes'),
    ),
    match: matcher(assembly, api, behind),
  };
}

function matcher(assembly: Assembly, api: Resource, behind: Behind): Api['match'] {
  const paths = resourcePaths(assembly, api);
  const methods = Map.groupBy(assembly.ofType('AWS::ApiGateway::Method'), ({ id, properties }) =>
    textOf(properties['ResourceId'], `${id}.ResourceId`),
  );
  // find-my-way prefers exact to parameter to wildcard and steps back where a branch ends, as API Gateway does.
  // Methods are looked up afterwards: on API Gateway the path alone picks the resource.
  const router = createRouter({ maxParamLength: 10_240 });
  const served = new Map<unknown, ServedResource>();
  for (const [resourceId, on] of methods) {
    const resource = paths.get(resourceId);
    if (resource === undefined) throw new Complaint('A method stands on a resource that is not in the template.');
    const handler = () => undefined;
    served.set(handler, {
      resourceId,
      resource,
      greedy: /\{(\w+)\+\}$/.exec(resource)?.[1],
      methods: new Map(on.map((one) => [textOf(one.properties['HttpMethod'], one.id), methodFrom(one, behind)])),
    });
    router.on('GET', patternOf(resource), handler);
  }
  return (httpMethod, path) => {
    const found = router.find('GET', path);
    const row = served.get(found?.handler);
    if (found === null || row === undefined) return undefined;
    const parameters = Object.entries(found.params).map(([name, value = '']): [string, string] =>
      name === '*' ? [row.greedy ?? name, value.replace(/\/$/, '')] : [name, value],
    );
    // `/{proxy+}` wants at least one segment.
    if (parameters.some(([, value]) => value === '')) return undefined;
    return {
      resourceId: row.resourceId,
      resource: row.resource,
      pathParameters: parameters.length === 0 ? null : Object.fromEntries(parameters),
      method: row.methods.get(httpMethod) ?? row.methods.get('ANY'),
    };
  };
}

interface ServedResource {
  readonly resourceId: string;
  readonly resource: string;
  readonly greedy: string | undefined;
  readonly methods: ReadonlyMap<string, Method>;
}

/** `/a/{id}/{rest+}` in find-my-way's words, which lets a parameter be empty unless told otherwise. */
function patternOf(resource: string): string {
  if (/[:*]/.test(resource)) throw new Complaint(`The local gateway cannot serve the path ${resource}.`);
  return resource.replace(/\{\w+\+\}$/, '*').replaceAll(/\{(\w+)\}/g, ':$1(^.+$)');
}

function resourcePaths(assembly: Assembly, api: Resource): Map<string, string> {
  const { template } = assembly;
  const rootId = textOf(resolve({ 'Fn::GetAtt': [api.id, 'RootResourceId'] }, template), 'RootResourceId');
  const rows = new Map(
    assembly.ofType('AWS::ApiGateway::Resource').map((resource) => [physicalId(resource, template), resource]),
  );
  const pathOf = (resource: Resource): string => {
    const parent = rows.get(textOf(resource.properties['ParentId'], `${resource.id}.ParentId`));
    return `${parent === undefined ? '' : pathOf(parent)}/${textOf(resource.properties['PathPart'], resource.id)}`;
  };
  return new Map([[rootId, '/'], ...[...rows].map(([id, resource]): [string, string] => [id, pathOf(resource)])]);
}

function methodFrom(method: Resource, { functions, authorizers }: Behind): Method {
  refuse(method, 'RequestValidatorId', 'RequestModels', 'AuthorizationScopes');
  const { properties, id } = method;
  const integration = fieldsOf(properties['Integration'], `${id}.Integration`);
  const type = textOf(integration['Type'], `${id}.Integration.Type`);
  if (type !== 'AWS_PROXY')
    throw new Complaint(`The local gateway does not know integrations of type ${type} (${id}).`);
  if (properties['ApiKeyRequired'] === true) throw new Complaint(`The local gateway does not know API keys (${id}).`);
  refuse({ ...method, properties: integration }, 'ContentHandling', 'RequestParameters', 'ConnectionId');
  if ((integration['ResponseTransferMode'] ?? 'BUFFERED') !== 'BUFFERED')
    throw new Complaint(`The local gateway does not stream answers (${id}).`);
  const uri = textOf(integration['Uri'], `${id}.Integration.Uri`);
  const fn = functions.get(invokedBy(uri) ?? '');
  if (fn === undefined) throw new Complaint(`The local gateway does not know the integration ${uri} (${id}).`);
  const authorization = textOf(properties['AuthorizationType'] ?? 'NONE', `${id}.AuthorizationType`);
  if (authorization !== 'NONE' && authorization !== 'CUSTOM') {
    throw new Complaint(`The local gateway does not know authorization of type ${authorization} (${id}).`);
  }
  const guarded = authorization === 'CUSTOM';
  const authorize = guarded ? authorizers.get(textOf(properties['AuthorizerId'], `${id}.AuthorizerId`)) : undefined;
  if (guarded && authorize === undefined) throw new Complaint(`The authorizer of ${id} is not in the template.`);
  return {
    fn,
    authorize,
    timeoutMilliseconds: numberOf(integration['TimeoutInMillis'] ?? INTEGRATION_TIMEOUT_MILLISECONDS, id),
  };
}

/** The function that an integration or authorizer URI names. */
export const invokedBy = (uri: string): string | undefined =>
  /:lambda:path\/2015-03-31\/functions\/(arn:[^/]+)\/invocations$/.exec(uri)?.[1];

const isCached = (settings: unknown): boolean =>
  isFields(settings) && (settings['CacheClusterEnabled'] === true || settings['CachingEnabled'] === true);

/** @throws {Complaint} when a resource has a property that changes answers and that the gateway does not play */
function refuse(resource: Resource, ...properties: readonly string[]): void {
  const used = properties.find((property) => resource.properties[property] !== undefined);
  if (used !== undefined) throw new Complaint(`The local gateway does not know the property ${used} (${resource.id}).`);
}
