/** Reads what a function of a Lambda proxy integration answered, and makes of it what API Gateway sends on. */
import { type Fields, isFields } from './fields.ts';
import { type GatewayRequest, isBinary } from './proxy-event.ts';

/** An HTTP response, header names in the case they are sent in. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

const MEMBERS = new Set(['statusCode', 'headers', 'multiValueHeaders', 'body', 'isBase64Encoded']);

/** Headers that API Gateway keeps for itself: a function's go out as `x-amzn-Remapped-…`. */
const REMAPPED = new Set([
  'authorization',
  'connection',
  'content-length',
  'content-md5',
  'date',
  'max-forwards',
  'server',
  'user-agent',
  'www-authenticate',
]);
const DROPPED = new Set([
  'expect',
  'host',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/** @returns undefined for an answer that API Gateway calls malformed: a 502 */
export function answerFrom(
  json: unknown,
  request: GatewayRequest,
  binaryMediaTypes: readonly string[],
  requestId: string,
): Answer | undefined {
  if (!isFields(json) || Object.keys(json).some((member) => !MEMBERS.has(member))) return undefined;
  const status = statusOf(json['statusCode']);
  const headers = headersOf(json);
  const body = json['body'] ?? '';
  if (status === undefined || headers === undefined || typeof body !== 'string') return undefined;
  const kept = headers.flatMap(([name, value]): [string, string][] => {
    const key = name.toLowerCase();
    if (DROPPED.has(key)) return [];
    return [[REMAPPED.has(key) ? `x-amzn-Remapped-${name}` : name, value]];
  });
  const typed = kept.some(([name]) => name.toLowerCase() === 'content-type');
  // Base64 is decoded only for callers whose first accepted type is a binary one of this API.
  const decoded =
    json['isBase64Encoded'] === true && isBinary(request.header('accept')?.split(',')[0], binaryMediaTypes);
  return {
    status,
    headers: [
      ['x-amzn-RequestId', requestId],
      ...(typed ? [] : [['Content-Type', 'application/json'] as const]),
      ...kept,
    ],
    body: Buffer.from(body, decoded ? 'base64' : 'utf8'),
  };
}

/** A number or a text of one; API Gateway takes a missing one for 200. */
function statusOf(value: unknown): number | undefined {
  const status = Number(value ?? 200);
  return typeof value !== 'object' && Number.isInteger(status) && status >= 200 && status <= 599 ? status : undefined;
}

/** Both maps together; where a name is in both, the multi-value one decides. */
function headersOf(json: Fields): [string, string][] | undefined {
  const single = json['headers'] ?? {};
  const multi = json['multiValueHeaders'] ?? {};
  if (!isFields(single) || !isFields(multi)) return undefined;
  const inMulti = new Set(Object.keys(multi).map((name) => name.toLowerCase()));
  const pairs: [string, unknown][] = Object.entries(single).filter(([name]) => !inMulti.has(name.toLowerCase()));
  for (const [name, values] of Object.entries(multi)) {
    if (!Array.isArray(values)) return undefined;
    for (const value of values) pairs.push([name, value]);
  }
  const headers: [string, string][] = [];
  for (const [name, value] of pairs) {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(String(value))) return undefined;
    headers.push([name, String(value)]);
  }
  return headers;
}
