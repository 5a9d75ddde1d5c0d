/** What API Gateway says in its own name: the template's gateway responses over API Gateway's defaults. */
import type { Assembly } from './assembly.ts';
import { Complaint } from './complaint.ts';
import { isFields, numberOf, textOf, textsOf } from './fields.ts';
import type { Answer } from './proxy-answer.ts';
import type { GatewayRequest, RequestContext } from './proxy-event.ts';

/** Default status of each type that this gateway can give, and the message behind `$context.error.message`. */
const TYPES = {
  ACCESS_DENIED: [403, 'User is not authorized to access this resource'],
  AUTHORIZER_CONFIGURATION_ERROR: [500, 'Internal server error'],
  AUTHORIZER_FAILURE: [500, 'Internal server error'],
  DEFAULT_4XX: [400, 'Bad Request'],
  DEFAULT_5XX: [502, 'Internal server error'],
  INTEGRATION_TIMEOUT: [504, 'Endpoint request timed out'],
  MISSING_AUTHENTICATION_TOKEN: [403, 'Missing Authentication Token'],
  REQUEST_TOO_LARGE: [413, 'Request Too Long'],
  UNAUTHORIZED: [401, 'Unauthorized'],
} as const satisfies Record<string, readonly [number, string]>;

/** The types of API Gateway that have no cause on this machine. */
const NEVER_GIVEN = new Set([
  'API_CONFIGURATION_ERROR',
  'BAD_REQUEST_BODY',
  'BAD_REQUEST_PARAMETERS',
  'EXPIRED_TOKEN',
  'INTEGRATION_FAILURE',
  'INVALID_API_KEY',
  'INVALID_SIGNATURE',
  'QUOTA_EXCEEDED',
  'WAF_FILTERED',
  'RESOURCE_NOT_FOUND',
  'THROTTLED',
  'UNSUPPORTED_MEDIA_TYPE',
]);

export type ResponseType = keyof typeof TYPES;

interface GatewayResponse {
  readonly status: number | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly templates: Readonly<Record<string, string>>;
}

const AS_AWS_HAS_IT: GatewayResponse = {
  status: undefined,
  parameters: {},
  templates: { 'application/json': '{"message":$context.error.messageString}' },
};

/** Answers a refusal of the gateway itself. */
export type GatewayResponses = (type: ResponseType, request: GatewayRequest, context: RequestContext) => Answer;

/** @throws {Complaint} when a template or header mapping uses what the gateway does not play */
export function gatewayResponsesFrom(assembly: Assembly): GatewayResponses {
  const configured = new Map<string, GatewayResponse>();
  for (const { id, properties } of assembly.ofType('AWS::ApiGateway::GatewayResponse')) {
    const templates = textsOf(properties['ResponseTemplates'], `${id}.ResponseTemplates`);
    for (const template of Object.values(templates)) {
      const unknown = /#[a-z{@]\w*|\$(?!context\.)[!{a-z][\w.{]*|\$context\.authorizer/i.exec(template);
      if (unknown) throw new Complaint(`The local gateway does not know ${unknown[0]} in a gateway response (${id}).`);
    }
    const parameters = textsOf(properties['ResponseParameters'], `${id}.ResponseParameters`);
    for (const [target, source] of Object.entries(parameters)) checkMapping(id, target, source);
    const type = textOf(properties['ResponseType'], `${id}.ResponseType`);
    if (!(type in TYPES) && !NEVER_GIVEN.has(type)) throw new Complaint(`API Gateway has no response ${type} (${id}).`);
    configured.set(type, {
      status: properties['StatusCode'] === undefined ? undefined : numberOf(properties['StatusCode'], id),
      parameters,
      templates: Object.keys(templates).length === 0 ? AS_AWS_HAS_IT.templates : templates,
    });
  }
  return (type, request, context) => {
    const [defaultStatus, message] = TYPES[type];
    const general = defaultStatus >= 500 ? 'DEFAULT_5XX' : 'DEFAULT_4XX';
    const { status, parameters, templates } = configured.get(type) ?? configured.get(general) ?? AS_AWS_HAS_IT;
    const variables = {
      ...context,
      error: { message, messageString: JSON.stringify(message), responseType: type, validationErrorString: '' },
    };
    const [contentType, template] = chosen(templates, request.header('accept'));
    const headers = Object.entries(parameters).map(([target, source]): [string, string] => [
      target.slice(HEADER.length),
      mapped(source, request, variables),
    ]);
    const typed = headers.some(([name]) => name.toLowerCase() === 'content-type');
    return {
      status: status ?? defaultStatus,
      headers: [
        ['x-amzn-RequestId', context.requestId],
        ['x-amzn-ErrorType', ERROR_NAMES[type]],
        ...(typed ? [] : [['Content-Type', contentType] as const]),
        ...headers,
      ],
      body: Buffer.from(template.replaceAll(VARIABLE, (_, path: string) => variableAt(variables, path))),
    };
  };
}

const ERROR_NAMES: Record<ResponseType, string> = {
  ACCESS_DENIED: 'AccessDeniedException',
  AUTHORIZER_CONFIGURATION_ERROR: 'AuthorizerConfigurationException',
  AUTHORIZER_FAILURE: 'AuthorizerFailureException',
  DEFAULT_4XX: 'BadRequestException',
  DEFAULT_5XX: 'InternalServerErrorException',
  INTEGRATION_TIMEOUT: 'InternalServerErrorException',
  MISSING_AUTHENTICATION_TOKEN: 'MissingAuthenticationTokenException',
  REQUEST_TOO_LARGE: 'RequestTooLargeException',
  UNAUTHORIZED: 'UnauthorizedException',
};

const HEADER = 'gatewayresponse.header.';
const VARIABLE = /\$context\.([A-Za-z0-9_.]*[A-Za-z0-9_])/g;

function checkMapping(id: string, target: string, source: string): void {
  const known = /^(?:'[^']*'|context\.(?!authorizer\b)[\w.]+|method\.request\.header\.[\w-]+)$/.test(source);
  if (!target.startsWith(HEADER) || !known) {
    throw new Complaint(`The local gateway does not know the mapping ${target}: ${source} (${id}).`);
  }
}

function mapped(source: string, request: GatewayRequest, variables: object): string {
  if (source.startsWith("'")) return source.slice(1, -1);
  if (source.startsWith('context.')) return variableAt(variables, source.slice('context.'.length));
  return request.header(source.slice('method.request.header.'.length)) ?? '';
}

/** API Gateway puts nothing where a variable has no value. */
function variableAt(variables: object, path: string): string {
  let value: unknown = variables;
  for (const name of path.split('.')) value = isFields(value) ? value[name] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The template of the first type that the caller accepts by name, else the first there is. */
function chosen(templates: Readonly<Record<string, string>>, accept = ''): readonly [string, string] {
  const accepted = accept.split(',').map((type) => type.split(';')[0]?.trim().toLowerCase());
  const entries = Object.entries(templates);
  return entries.find(([type]) => accepted.includes(type.toLowerCase())) ?? entries[0] ?? ['application/json', ''];
}
