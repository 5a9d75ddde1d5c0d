import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { ANY_ORIGIN, originsNamed } from '../functions/shared/domain/origins.ts';
import type { Deployment } from './deployment-settings.ts';

export interface Problem {
  readonly types: readonly ResponseType[];
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What API Gateway itself says, in the words the functions use. Only here can a 401 carry the real
 * WWW-Authenticate: API Gateway renames the header in a function's answer.
 */
export const PROBLEMS: readonly Problem[] = [
  {
    // No credentials, or another scheme than Bearer (RFC 6750 section 3.1: no error code then).
    types: [ResponseType.UNAUTHORIZED],
    status: 401,
    title: 'Unauthorized',
    detail: 'Authentication credentials were not provided.',
    headers: { 'WWW-Authenticate': 'Bearer realm="api"' },
  },
  {
    // The authorizer denied: it does so for a bad token and for nothing else.
    types: [ResponseType.ACCESS_DENIED],
    status: 401,
    title: 'Unauthorized',
    detail: 'Given token not valid for any token type',
    code: 'token_not_valid',
    headers: { 'WWW-Authenticate': 'Bearer realm="api", error="invalid_token"' },
  },
  {
    types: [ResponseType.WAF_FILTERED],
    status: 403,
    title: 'Forbidden',
    detail: 'The request was refused.',
  },
  {
    types: [ResponseType.RESOURCE_NOT_FOUND, ResponseType.MISSING_AUTHENTICATION_TOKEN],
    status: 404,
    title: 'Not Found',
    detail: 'Not found.',
  },
  {
    types: [ResponseType.REQUEST_TOO_LARGE],
    status: 413,
    title: 'Content Too Large',
    detail: 'The request body is too large.',
  },
  {
    types: [ResponseType.UNSUPPORTED_MEDIA_TYPE],
    status: 415,
    title: 'Unsupported Media Type',
    detail: 'Unsupported media type in request.',
  },
  {
    types: [ResponseType.THROTTLED, ResponseType.QUOTA_EXCEEDED],
    status: 429,
    title: 'Too Many Requests',
    detail: 'Request was throttled.',
    headers: { 'Retry-After': '1' },
  },
  {
    types: [ResponseType.DEFAULT_4XX],
    status: 400,
    title: 'Bad Request',
    detail: 'The request could not be read.',
  },
  {
    // An outage of ours, a throttled function and a missing key set among them. Never a denial: those are cached.
    types: [
      ResponseType.AUTHORIZER_FAILURE,
      ResponseType.AUTHORIZER_CONFIGURATION_ERROR,
      ResponseType.INTEGRATION_FAILURE,
      ResponseType.INTEGRATION_TIMEOUT,
      ResponseType.DEFAULT_5XX,
    ],
    status: 503,
    title: 'Service Unavailable',
    detail: 'The service is temporarily unavailable.',
    headers: { 'Retry-After': '5' },
  },
];

/** Answers every refusal of the gateway with a problem document (RFC 9457) that a browser may read. */
export function gatewayResponses(api: RestApi, { functions }: Deployment): void {
  for (const { types, status, title, detail, code, headers } of PROBLEMS) {
    for (const type of types) {
      api.addGatewayResponse(`On${pascalCase(type.responseType)}`, {
        type,
        statusCode: String(status),
        responseHeaders: quoted({
          // The template's key chooses the template, this header is what the caller sees.
          'Content-Type': 'application/problem+json',
          ...readersOf(functions),
          'X-Content-Type-Options': 'nosniff',
          'Strict-Transport-Security': 'max-age=63072000',
          'Cache-Control': 'no-store',
          ...headers,
        }),
        templates: {
          'application/json': JSON.stringify({ type: 'about:blank', title, status, detail, ...(code && { code }) }),
        },
      });
    }
  }
}

/**
 * Which pages may read them. These headers are the same for every request, so that of several origins none can be named: all
 * may read them then, without cookies.
 */
function readersOf({ corsOrigin, cookieMode }: Deployment['functions']): Readonly<Record<string, string>> {
  const [origin, another] = originsNamed(corsOrigin);
  const isOne = origin !== undefined && another === undefined;
  return {
    'Access-Control-Allow-Origin': isOne ? origin : ANY_ORIGIN,
    'Access-Control-Expose-Headers': 'WWW-Authenticate, Retry-After',
    ...(isOne && { Vary: 'Origin' }),
    ...(isOne && cookieMode === 'on' && { 'Access-Control-Allow-Credentials': 'true' }),
  };
}

/** API Gateway takes a literal value in single quotes. */
const quoted = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `'${value}'`]));

const pascalCase = (name: string) =>
  name.toLowerCase().replace(/(?:^|_)([a-z0-9])/g, (_dash, letter: string) => letter.toUpperCase());
