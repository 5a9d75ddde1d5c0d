/**
 * CloudFormation's intrinsic functions, as far as our templates use them, with the names and ARNs that
 * resources get on this machine. Whatever is not listed here is refused, never passed on half resolved.
 */
import { createHash } from 'node:crypto';
import { Complaint } from './complaint.ts';
import { type Fields, fieldsOf, isFields, listOf, numberOf, textOf } from './fields.ts';

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';
export const PARTITION = 'aws';
const URL_SUFFIX = 'amazonaws.com';

export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly properties: Fields;
  readonly metadata: Fields;
}

export interface Template {
  readonly stackName: string;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly parameters: Fields;
  readonly mappings: Fields;
}

export const arn = (service: string, rest: string) => `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT}:${rest}`;

/** The stack's own ARN; AWS ends it in a UUID, here it is the same at every start. */
export const stackId = (stackName: string) => arn('cloudformation', `stack/${stackName}/local`);

/** Returns `value` with every intrinsic in it replaced. @throws {Complaint} naming the intrinsic it does not know */
export function resolve(value: unknown, template: Template): unknown {
  const inner = (one: unknown): unknown => resolve(one, template);
  if (Array.isArray(value)) return value.map(inner);
  if (!isFields(value)) return value;
  const [only, ...others] = Object.keys(value);
  if (only === undefined || others.length > 0 || !(only === 'Ref' || only.startsWith('Fn::'))) {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inner(one)]));
  }
  const argument = value[only];
  switch (only) {
    case 'Ref':
      return ref(textOf(argument, 'Ref'), template);
    case 'Fn::GetAtt': {
      const [id, attribute] = typeof argument === 'string' ? argument.split('.', 2) : listOf(argument, only);
      return attributeOf(textOf(id, only), textOf(attribute, only), template);
    }
    case 'Fn::Join': {
      const [separator, parts] = listOf(argument, only);
      return listOf(inner(parts), only)
        .map((part) => textOf(part, only))
        .join(textOf(separator, only));
    }
    case 'Fn::Select': {
      const [index, list] = listOf(argument, only);
      return listOf(inner(list), only)[numberOf(index, only)];
    }
    case 'Fn::Split': {
      const [separator, text] = listOf(argument, only);
      return textOf(inner(text), only).split(textOf(separator, only));
    }
    case 'Fn::Sub':
      return substitute(argument, template);
    case 'Fn::FindInMap': {
      const [map, top, second] = listOf(inner(argument), only).map((key) => textOf(key, only));
      const found = fieldsOf(fieldsOf(template.mappings[map ?? ''], only)[top ?? ''], only)[second ?? ''];
      if (found === undefined) throw new Complaint(`The template's mapping has no ${map}.${top}.${second}.`);
      return found;
    }
    default:
      throw new Complaint(`The local gateway does not know the intrinsic ${only}.`);
  }
}

function substitute(argument: unknown, template: Template): string {
  const [text, variables] = typeof argument === 'string' ? [argument, {}] : listOf(argument, 'Fn::Sub');
  const given = fieldsOf(resolve(variables, template), 'Fn::Sub');
  return textOf(text, 'Fn::Sub').replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    if (Object.hasOwn(given, name)) return textOf(given[name], `Fn::Sub ${name}`);
    const [id = '', attribute] = name.split('.', 2);
    return textOf(attribute === undefined ? ref(id, template) : attributeOf(id, attribute, template), 'Fn::Sub');
  });
}

function ref(name: string, template: Template): unknown {
  const pseudo: Record<string, string> = {
    'AWS::Region': REGION,
    'AWS::AccountId': ACCOUNT,
    'AWS::Partition': PARTITION,
    'AWS::URLSuffix': URL_SUFFIX,
    'AWS::StackName': template.stackName,
    'AWS::StackId': stackId(template.stackName),
  };
  if (Object.hasOwn(pseudo, name)) return pseudo[name];
  if (Object.hasOwn(template.parameters, name)) {
    const { Default: preset } = fieldsOf(template.parameters[name], name);
    if (preset === undefined) throw new Complaint(`The template's parameter ${name} has no default.`);
    return preset;
  }
  return physicalId(known(name, template), template);
}

/** The name a resource has here: what `Ref` gives. @throws {Complaint} for a type whose `Ref` is not known */
export function physicalId(resource: Resource, template: Template): string {
  const named = (property: string) => {
    const name = resolve(resource.properties[property], template);
    return name === undefined ? `${template.stackName}-${resource.id}` : textOf(name, `${resource.id}.${property}`);
  };
  switch (resource.type) {
    case 'AWS::Lambda::Function':
      return named('FunctionName');
    case 'AWS::DynamoDB::Table':
    case 'AWS::DynamoDB::GlobalTable':
      return named('TableName');
    case 'AWS::SSM::Parameter':
      return named('Name');
    case 'AWS::Logs::LogGroup':
      return named('LogGroupName');
    case 'AWS::IAM::Role':
      return named('RoleName');
    case 'AWS::SecretsManager::Secret':
      return arn('secretsmanager', `secret:${named('Name')}-${short(resource, template, 6)}`);
    case 'AWS::ApiGateway::Stage':
      return named('StageName');
    case 'AWS::ApiGateway::RestApi':
      return short(resource, template, 10);
    case 'AWS::ApiGateway::Resource':
    case 'AWS::ApiGateway::Authorizer':
    case 'AWS::ApiGateway::Deployment':
      return short(resource, template, 6);
    default:
      throw new Complaint(`The local gateway does not know what Ref of ${resource.id} (${resource.type}) is.`);
  }
}

function attributeOf(id: string, attribute: string, template: Template): unknown {
  const resource = known(id, template);
  switch (`${resource.type} ${attribute}`) {
    case 'AWS::Lambda::Function Arn':
      return arn('lambda', `function:${physicalId(resource, template)}`);
    case 'AWS::DynamoDB::Table Arn':
    case 'AWS::DynamoDB::GlobalTable Arn':
      return arn('dynamodb', `table/${physicalId(resource, template)}`);
    case 'AWS::IAM::Role Arn':
      return `arn:${PARTITION}:iam::${ACCOUNT}:role/${physicalId(resource, template)}`;
    case 'AWS::Logs::LogGroup Arn':
      return arn('logs', `log-group:${physicalId(resource, template)}:*`);
    case 'AWS::SecretsManager::Secret Id':
      return physicalId(resource, template);
    case 'AWS::SSM::Parameter Value':
      return resolve(resource.properties['Value'], template);
    case 'AWS::ApiGateway::RestApi RootResourceId':
      return short(resource, template, 10, 'root');
    case 'AWS::ApiGateway::RestApi RestApiId':
      return physicalId(resource, template);
    default:
      throw new Complaint(`The local gateway does not know Fn::GetAtt ${id}.${attribute} (${resource.type}).`);
  }
}

function known(id: string, template: Template): Resource {
  const resource = template.resources.get(id);
  if (resource === undefined) throw new Complaint(`The template has no resource or parameter ${id}.`);
  return resource;
}

/** An id as AWS makes them, but the same at every start. */
function short(resource: Resource, template: Template, length: number, salt = ''): string {
  const digest = createHash('sha256').update(`${template.stackName}/${resource.id}/${salt}`).digest();
  return [...digest.subarray(0, length)].map((byte) => (byte % 36).toString(36)).join('');
}
