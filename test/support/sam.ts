/**
 * A cloud assembly read as AWS SAM's command line reads it (1.164: `samcli/lib/providers/cfn_api_provider.py`,
 * `sam_function_provider.py`, `lib/samlib/resource_metadata_normalizer.py`, `lib/intrinsic_resolver/`), as far as it decides
 * which routes are served, what is behind them and what a function finds in its environment.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listOf, membersOf } from './template.ts';

export interface SamFunction {
  readonly logicalId: string;
  /** What `sam local invoke` also takes for its name: the last part of the construct's path. */
  readonly resourceId: string;
  readonly runtime: string;
  readonly architectures: readonly string[];
  readonly handler: string;
  readonly layers: readonly unknown[];
  /** Folder that is mounted as /var/task; undefined where SAM would look for code in the current folder. */
  readonly code: string | undefined;
  readonly timeoutSeconds: number;
  /** The environment inside of the container. */
  environment(overrides: Readonly<Record<string, string>>): Record<string, string>;
}

export interface SamRoute {
  readonly method: string;
  readonly path: string;
  /** Logical ids. */
  readonly fn: string;
  readonly authorizer: string | undefined;
}

export interface SamAuthorizer {
  readonly type: string;
  readonly fn: string;
  readonly identitySources: readonly string[];
  readonly validation: string | undefined;
}

export interface SamTemplate {
  readonly stage: unknown;
  readonly functions: ReadonlyMap<string, SamFunction>;
  readonly routes: readonly SamRoute[];
  readonly authorizers: ReadonlyMap<string, SamAuthorizer>;
}

type Members = Readonly<Record<string, unknown>>;

/** @param file the template that `-t` names */
export function readAsSam(file: string): SamTemplate {
  const resources = membersOf(membersOf(JSON.parse(readFileSync(file, 'utf8')))['Resources']);
  const all = Object.entries(resources).map(([id, value]) => {
    const { Type, Metadata, Properties } = membersOf(value);
    return {
      id,
      type: String(Type),
      metadata: membersOf(Metadata ?? {}),
      properties: membersOf(resolved(Properties ?? {})),
    };
  });
  const ofType = (type: string) => all.filter((one) => one.type === type);
  const apiResources = new Map(ofType('AWS::ApiGateway::Resource').map(({ id, properties }) => [id, properties]));
  const pathOf = (id: string): string => {
    const resource = apiResources.get(id);
    // What is no resource of the template is the root, which resolves to its path.
    if (resource === undefined) return id;
    const parent = pathOf(String(resource['ParentId']));
    return `${parent === '/' ? '' : parent}/${String(resource['PathPart'])}`;
  };
  const [stage] = ofType('AWS::ApiGateway::Stage');
  return {
    stage: stage?.properties['StageName'],
    functions: new Map(
      ofType('AWS::Lambda::Function').map(({ id, metadata, properties }) => [
        id,
        functionFrom(id, metadata, properties, dirname(file)),
      ]),
    ),
    routes: ofType('AWS::ApiGateway::Method').flatMap(({ properties }) => {
      const integration = membersOf(properties['Integration']);
      const fn = functionNamedBy(integration['Uri']);
      if (String(integration['Type']).toLowerCase() !== 'aws_proxy' || fn === undefined) return [];
      const authorizer = properties['AuthorizerId'];
      return [
        {
          method: String(properties['HttpMethod']),
          path: pathOf(String(properties['ResourceId'])),
          fn,
          authorizer: typeof authorizer === 'string' ? authorizer : undefined,
        },
      ];
    }),
    authorizers: new Map(
      ofType('AWS::ApiGateway::Authorizer').map(({ id, properties }) => [
        id,
        {
          type: String(properties['Type']).toLowerCase(),
          fn: functionNamedBy(properties['AuthorizerUri']) ?? '',
          identitySources: String(properties['IdentitySource']).split(','),
          validation: properties['IdentityValidationExpression'] as string | undefined,
        },
      ]),
    ),
  };
}

/** SAM's own account, region and names: a `Ref` is the logical id, an `Arn` that of a function of that name. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const {
    Ref: ref,
    'Fn::GetAtt': attribute,
    'Fn::Join': join,
    'Fn::Select': select,
    'Fn::Split': split,
  } = membersOf(value);
  if (typeof ref === 'string') return PSEUDO[ref] ?? ref;
  if (attribute !== undefined) {
    const [id, name] = listOf(attribute);
    if (name === 'Arn') return `arn:aws:lambda:us-east-1:123456789012:function:${String(id)}`;
    return name === 'RootResourceId' ? '/' : value;
  }
  if (join !== undefined) {
    const [separator, parts] = listOf(join);
    const texts = listOf(parts).map(resolved);
    return texts.every((part) => typeof part === 'string') ? texts.join(String(separator)) : value;
  }
  if (select !== undefined) {
    const [at, list] = listOf(select);
    return listOf(resolved(list))[Number(at)];
  }
  if (split !== undefined) {
    const [separator, text] = listOf(split);
    return String(resolved(text)).split(String(separator));
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolved(one)]));
}

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'local',
};

const functionNamedBy = (uri: unknown) =>
  /arn:aws:lambda:[^:]+:[^:]+:function:([a-zA-Z0-9-_]+)/.exec(typeof uri === 'string' ? uri : '')?.[1];

function functionFrom(logicalId: string, metadata: Members, properties: Members, folder: string): SamFunction {
  const { 'aws:asset:path': path, 'aws:asset:property': property, 'aws:cdk:path': construct = '' } = metadata;
  const variables = membersOf(membersOf(properties['Environment'] ?? {})['Variables'] ?? {});
  const { MemorySize = 128, Timeout = 3, Handler } = properties;
  return {
    logicalId,
    resourceId:
      String(construct)
        .replace(/\/(Resource|Default)$/, '')
        .split('/')
        .at(-1) ?? '',
    runtime: String(properties['Runtime']),
    architectures: listOf(properties['Architectures'] ?? 'x86_64').map(String),
    handler: String(Handler),
    layers: listOf(properties['Layers'] ?? []),
    // SAM replaces the property by the asset only where the metadata names both.
    code: property === 'Code' && typeof path === 'string' ? join(folder, path) : undefined,
    timeoutSeconds: Number(Timeout),
    environment: (overrides) => ({
      AWS_SAM_LOCAL: 'true',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MemorySize),
      AWS_LAMBDA_FUNCTION_TIMEOUT: String(Timeout),
      AWS_LAMBDA_FUNCTION_HANDLER: String(Handler),
      AWS_LAMBDA_FUNCTION_NAME: logicalId,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_LOG_GROUP_NAME: `aws/lambda/${logicalId}`,
      AWS_LAMBDA_LOG_STREAM_NAME: '$LATEST',
      AWS_LAMBDA_LOG_FORMAT: 'JSON',
      AWS_LAMBDA_LOG_LEVEL: 'INFO',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'defaultkey',
      AWS_SECRET_ACCESS_KEY: 'defaultsecret',
      ...Object.fromEntries(
        Object.entries(variables).map(([name, value]) => [
          name,
          // An override counts only for a declared variable; what SAM could not resolve is empty.
          overrides[name] ?? (typeof value === 'string' ? value : ''),
        ]),
      ),
    }),
  };
}
