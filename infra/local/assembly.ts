/** Reads the cloud assembly that the CDK wrote: one stack, its template, and the folders of its bundles. */
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { Complaint } from './complaint.ts';
import { type Fields, fieldsOf, isFields, jsonOf, textOf } from './fields.ts';
import { type Resource, type Template, resolve } from './intrinsics.ts';

export interface Assembly {
  readonly folder: string;
  readonly template: Template;
  /** Resources of one type with their intrinsics resolved, in the template's order. */
  ofType(...types: readonly string[]): readonly Resource[];
  /** The value of one of the stack's outputs. @throws {Complaint} when there is none of that name */
  output(name: string): string;
}

/** Types the gateway plays. */
const PLAYED = new Set([
  'AWS::ApiGateway::Authorizer',
  'AWS::ApiGateway::GatewayResponse',
  'AWS::ApiGateway::Method',
  'AWS::ApiGateway::Resource',
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Stage',
  'AWS::CloudFormation::CustomResource',
  'AWS::DynamoDB::GlobalTable',
  'AWS::DynamoDB::Table',
  'AWS::Lambda::Function',
  'AWS::SSM::Parameter',
  'AWS::SecretsManager::RotationSchedule',
  'AWS::SecretsManager::Secret',
]);

/** Types that change nothing about what an answer is, only who may ask, who watches and what it costs. */
const NOT_FELT_LOCALLY = new Set([
  'AWS::ApiGateway::Account',
  'AWS::ApiGateway::BasePathMapping',
  'AWS::ApiGateway::Deployment',
  'AWS::ApiGateway::DomainName',
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::Logs::MetricFilter',
  'AWS::SNS::Subscription',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SecretsManager::ResourcePolicy',
  'AWS::WAFv2::LoggingConfiguration',
  'AWS::WAFv2::WebACL',
  'AWS::WAFv2::WebACLAssociation',
]);

/**
 * @param stackName needed only where the assembly holds more than one stack
 * @throws {Complaint} when the folder is no cloud assembly, or its template holds a resource type that is neither
 *   played nor known to make no difference
 */
export function readAssembly(folder: string, stackName?: string): Assembly {
  const manifest = readJson(join(folder, 'manifest.json'), `${folder} is no cloud assembly`);
  const stacks = Object.entries(fieldsOf(manifest['artifacts'], 'artifacts')).flatMap(([id, artifact]) =>
    isFields(artifact) && artifact['type'] === 'aws:cloudformation:stack' ? [{ id, artifact }] : [],
  );
  const named = stacks.filter(({ id }) => stackName === undefined || id === stackName);
  const [stack] = named;
  if (stack === undefined || named.length > 1) {
    const names = stacks.map(({ id }) => id).join(', ') || 'none';
    throw new Complaint(`The local gateway serves one stack, and ${folder} holds: ${names}.`);
  }
  const { templateFile, stackName: realName } = fieldsOf(stack.artifact['properties'], stack.id);
  const body = readJson(join(folder, textOf(templateFile, 'templateFile')), `The template of ${stack.id} is missing`);
  const template = templateIn(body, realName === undefined ? stack.id : textOf(realName, 'stackName'));
  return {
    folder,
    template,
    output(name) {
      const output = fieldsOf(fieldsOf(body['Outputs'] ?? {}, 'Outputs')[name], `The output ${name} of ${stack.id}`);
      return textOf(resolve(output['Value'], template), `The output ${name}`);
    },
    ofType: (...types) =>
      [...template.resources.values()]
        .filter(({ type }) => types.includes(type))
        .map((resource) => ({ ...resource, properties: resolved(resource.properties, template, resource.id) })),
  };
}

/** Custom resources: their own type, or any `Custom::Something`. */
export const isCustomResource = (type: string) =>
  type === 'AWS::CloudFormation::CustomResource' || type.startsWith('Custom::');

/** Where the bundle of a function lies. @throws {Complaint} when the template does not say */
export function bundleFolder(resource: Resource, assembly: Assembly): string {
  const path = resource.metadata['aws:asset:path'];
  if (typeof path !== 'string') {
    throw new Complaint(
      `Function ${resource.id} has no aws:asset:path: synthesize through the CDK command line, which writes it.`,
    );
  }
  return isAbsolute(path) ? path : join(assembly.folder, path);
}

function templateIn(body: Fields, stackName: string): Template {
  const resources = new Map<string, Resource>();
  for (const [id, value] of Object.entries(fieldsOf(body['Resources'], 'Resources'))) {
    const { Type, Properties = {}, Metadata = {}, Condition } = fieldsOf(value, id);
    const type = textOf(Type, `${id}.Type`);
    const played = PLAYED.has(type) || isCustomResource(type);
    if (!played && !NOT_FELT_LOCALLY.has(type)) {
      throw new Complaint(
        `The local gateway does not know resources of type ${type} (${id}): see infra/local/assembly.ts.`,
      );
    }
    if (played && Condition !== undefined) {
      throw new Complaint(`The local gateway does not know conditions (${id}).`);
    }
    resources.set(id, { id, type, properties: fieldsOf(Properties, id), metadata: fieldsOf(Metadata, id) });
  }
  return {
    stackName,
    resources,
    parameters: fieldsOf(body['Parameters'] ?? {}, 'Parameters'),
    mappings: fieldsOf(body['Mappings'] ?? {}, 'Mappings'),
  };
}

/** Resolves what the gateway reads. The role and the layers of a function are AWS's to read, and stay as they are. */
function resolved(properties: Fields, template: Template, id: string): Fields {
  const { Role, Layers, ...rest } = properties;
  return { ...fieldsOf(resolve(rest, template), id), Role, Layers };
}

function readJson(file: string, complaint: string): Fields {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Complaint(`${complaint}: ${file} cannot be read.`);
  }
  return fieldsOf(jsonOf(text, file), file);
}
