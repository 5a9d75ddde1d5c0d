import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEvent } from 'aws-lambda';

/** What a test says of a request; everything else is as API Gateway fills it in. */
export interface Request {
  readonly method?: string;
  /** The path of the API's resource: `/api/sessions/{id}`. */
  readonly resource?: string;
  /** As the client sent it, with the stage; the resource unless told. */
  readonly path?: string;
  /** A list is a header that comes so many times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
  /** Sent as JSON, with its content type, in place of `body`. */
  readonly json?: unknown;
  /** Sent as a form, with its content type, in place of `body`. */
  readonly form?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly address?: string;
  readonly userAgent?: string;
  /** What the authorizer handed on; API Gateway makes texts of it. */
  readonly authorizer?: Readonly<Record<string, string | number>>;
}

/** The host under which the API is called. */
export const DOMAIN = 'auth.example.org';

/** The event of a Lambda proxy integration (payload format 1.0). */
export function apiEvent(request: Request): APIGatewayProxyEvent {
  const { method = 'POST', resource = '/', query, address = '203.0.113.7', userAgent = 'test/1', authorizer } = request;
  const path = request.path ?? `/v1${resource}`;
  const [body, contentType] = bodyOf(request);
  const headers = {
    'User-Agent': userAgent,
    ...(contentType !== undefined && { 'Content-Type': contentType }),
    ...request.headers,
  };
  return {
    resource,
    path: path.replace(/^\/v1(?=\/)/, ''),
    httpMethod: method,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().at(-1)])),
    multiValueHeaders: listsOf(headers),
    queryStringParameters: query ?? null,
    multiValueQueryStringParameters: query ? listsOf(query) : null,
    pathParameters: null,
    stageVariables: null,
    body,
    isBase64Encoded: request.isBase64Encoded ?? false,
    requestContext: {
      accountId: '123456789012',
      apiId: 'test',
      domainName: DOMAIN,
      authorizer: authorizer && Object.fromEntries(Object.entries(authorizer).map(([name, it]) => [name, String(it)])),
      protocol: 'HTTP/1.1',
      httpMethod: method,
      identity: { ...NOBODY, sourceIp: address, userAgent },
      path,
      stage: 'v1',
      requestId: randomUUID(),
      requestTimeEpoch: 1_700_000_000_000,
      resourceId: 'abc123',
      resourcePath: resource,
    },
  };
}

const NOBODY = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userArn: null,
};

function bodyOf({ body = null, json, form }: Request): [string | null, string?] {
  if (json !== undefined) return [JSON.stringify(json), 'application/json'];
  if (form !== undefined) return [new URLSearchParams(form).toString(), 'application/x-www-form-urlencoded'];
  return [body];
}

const listsOf = (values: Readonly<Record<string, string | readonly string[]>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value].flat()]));
