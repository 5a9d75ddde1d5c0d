/** Makes the event of a Lambda proxy integration (payload format 1.0) from an HTTP request, as REST APIs do. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AuthorizerContext } from './authorizer.ts';
import { ACCOUNT } from './intrinsics.ts';
import type { Api, Match } from './routes.ts';

/** A request as API Gateway has read it. */
export interface GatewayRequest {
  readonly httpMethod: string;
  /** As it was sent: percent-encoded, without the query. */
  readonly path: string;
  /** False for a target that API Gateway would not take, such as `*` or a broken percent-encoding. */
  readonly wellFormed: boolean;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly protocol: string;
  readonly sourceIp: string;
  /** Names with the case they were sent in, values in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** The last value of a header, its name in any case. */
  header(name: string): string | undefined;
}

/** Request headers that never reach a function; API Gateway's "important notes" list them. */
const DROPPED = new Set([
  'connection',
  'content-length',
  'content-md5',
  'expect',
  'max-forwards',
  'proxy-authenticate',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);

/** Reads the head of a request. */
export function requestFrom(message: IncomingMessage, body: Buffer): GatewayRequest {
  const sourceIp = (message.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const headers = headersOf(message, sourceIp);
  return {
    ...targetOf(message.url ?? ''),
    body,
    sourceIp,
    headers,
    httpMethod: message.method ?? 'GET',
    protocol: `HTTP/${message.httpVersion}`,
    header: (name) => [...headers].find(([sent]) => sent.toLowerCase() === name.toLowerCase())?.[1].at(-1),
  };
}

function targetOf(url: string): { path: string; query: URLSearchParams; wellFormed: boolean } {
  // Absolute form (RFC 9112 section 3.2.2) is for proxies, but every server has to take it.
  const [whole = '', origin] = /^(https?:\/\/[^/?#]*)?[^#]*/i.exec(url) ?? [];
  const [path = '', ...query] = whole.slice(origin?.length ?? 0).split('?');
  return {
    path: path || '/',
    query: new URLSearchParams(query.join('?')),
    wellFormed: (path === '' || path.startsWith('/')) && isDecodable(path),
  };
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function headersOf(message: IncomingMessage, sourceIp: string): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  const spelling = new Map<string, string>();
  for (let at = 0; at < message.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = message.rawHeaders.slice(at, at + 2);
    const key = name.toLowerCase();
    if (DROPPED.has(key)) continue;
    const sent = spelling.get(key) ?? name;
    spelling.set(key, sent);
    headers.set(sent, [...(headers.get(sent) ?? []), value]);
  }
  const set = (name: string, value: string): void =>
    void headers.set(spelling.get(name.toLowerCase()) ?? name, [value]);
  const forwarded = headers.get(spelling.get('x-forwarded-for') ?? '') ?? [];
  set('X-Forwarded-For', [...forwarded, sourceIp].join(', '));
  set('X-Forwarded-Port', String(message.socket.localPort ?? ''));
  set('X-Forwarded-Proto', 'http');
  set('X-Amzn-Trace-Id', `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`);
  return headers;
}

export type RequestContext = ReturnType<typeof contextOf>;

/** `requestContext`, and the variables a gateway response may use. */
export function contextOf(request: GatewayRequest, api: Api, match: Match | undefined) {
  const receivedAt = new Date();
  const requestId = randomUUID();
  return {
    resourceId: match?.resourceId ?? '',
    resourcePath: match?.resource ?? '',
    httpMethod: request.httpMethod,
    extendedRequestId: randomBytes(8).toString('base64url'),
    requestTime: commonLogTime(receivedAt),
    // AWS has the stage in front; a custom domain, and this gateway, have not.
    path: request.path,
    accountId: ACCOUNT,
    protocol: request.protocol,
    stage: api.stage,
    domainPrefix: api.id,
    requestTimeEpoch: receivedAt.getTime(),
    requestId,
    identity: {
      cognitoIdentityPoolId: null,
      accountId: null,
      cognitoIdentityId: null,
      caller: null,
      sourceIp: request.sourceIp,
      principalOrgId: null,
      accessKey: null,
      cognitoAuthenticationType: null,
      cognitoAuthenticationProvider: null,
      userArn: null,
      userAgent: request.header('user-agent') ?? null,
      user: null,
    },
    domainName: request.header('host') ?? '',
    deploymentId: 'local0',
    apiId: api.id,
  };
}

/** The event a function gets. */
export function proxyEvent(
  request: GatewayRequest,
  api: Api,
  match: Match,
  context: RequestContext,
  authorizer: AuthorizerContext | undefined,
) {
  const names = [...new Set(request.query.keys())];
  const binary = isBinary(request.header('content-type'), api.binaryMediaTypes);
  const has = { headers: request.headers.size > 0, query: names.length > 0, body: request.body.length > 0 };
  const lastOf = (values: readonly string[]) => values.at(-1) ?? '';
  return {
    resource: match.resource,
    path: request.path,
    httpMethod: request.httpMethod,
    headers: has.headers
      ? Object.fromEntries([...request.headers].map(([name, values]) => [name, lastOf(values)]))
      : null,
    multiValueHeaders: has.headers ? Object.fromEntries(request.headers) : null,
    queryStringParameters: has.query
      ? Object.fromEntries(names.map((name) => [name, lastOf(request.query.getAll(name))]))
      : null,
    multiValueQueryStringParameters: has.query
      ? Object.fromEntries(names.map((name) => [name, request.query.getAll(name)]))
      : null,
    pathParameters: match.pathParameters,
    stageVariables: api.stageVariables,
    requestContext: authorizer === undefined ? context : { ...context, authorizer },
    body: has.body ? request.body.toString(binary ? 'base64' : 'utf8') : null,
    isBase64Encoded: has.body && binary,
  };
}

/** Is a media type among the API's binary ones? */
export function isBinary(mediaType: string | undefined, binaryMediaTypes: readonly string[]): boolean {
  const type = mediaType?.split(';')[0]?.trim().toLowerCase();
  return binaryMediaTypes.some((one) => one === '*/*' || one.toLowerCase() === type);
}

/** `09/Apr/2015:12:34:56 +0000` */
function commonLogTime(date: Date): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0000`;
}
