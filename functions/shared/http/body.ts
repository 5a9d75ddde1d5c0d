import type { APIGatewayProxyEvent } from 'aws-lambda';
import { Refusal } from '../domain/refusal.ts';
import { isMembers, type Members } from '../domain/unknown.ts';
import { repeatsMember } from './json.ts';
import { headerIn } from './request.ts';

/** Larger bodies are refused unread. */
const MAX_BODY_BYTES = 16_384;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads text fields of a body, JSON or form. Every field that is wrong is named, all at once.
 *
 * @throws {Refusal} `body-too-large`, `unsupported-media-type`, `malformed-body`, `not-an-object`, `invalid-fields`
 */
export function stringsIn<Name extends string>(event: APIGatewayProxyEvent, ...names: Name[]): Record<Name, string> {
  const body = bodyOf(event);
  return faultless(names.map((name) => [name, textFieldOf(Object.hasOwn(body, name) ? body[name] : undefined)]));
}

/** What is wrong with a value of a field, in words for the one who chose it; undefined where nothing is. */
export type FieldRule = (value: string) => string | undefined;

/**
 * Reads the text fields that the body of a PATCH changes; null takes a value away, a field that is not there stays. A
 * field without a rule is refused rather than ignored: whoever sent it believes that it is changed.
 *
 * @throws {Refusal} as {@link stringsIn}
 */
export function changesIn<Name extends string>(
  event: APIGatewayProxyEvent,
  rules: Readonly<Record<Name, FieldRule>>,
): Partial<Record<Name, string | null>> {
  return faultless(
    Object.entries(bodyOf(event)).map(([name, value]): [Name, Field] => {
      if (!isNameOf(rules, name)) return [name as Name, { fault: 'This field may not be changed.' }];
      if (value === null) return [name, { value }];
      const field = textFieldOf(value);
      const fault = 'fault' in field ? undefined : rules[name](field.value);
      return [name, fault === undefined ? field : { fault }];
    }),
  );
}

/**
 * A change that another one asks for: as {@link stringsIn} would have it.
 *
 * @throws {Refusal} `invalid-fields` where it is missing or null
 */
export function requiredOf(name: string, value: string | null | undefined): string {
  const field = textFieldOf(value);
  if ('fault' in field) throw new Refusal('invalid-fields', { fields: { [name]: [field.fault] } });
  return field.value;
}

const isNameOf = <Name extends string>(rules: Readonly<Record<Name, unknown>>, name: string): name is Name =>
  Object.hasOwn(rules, name);

/** A field as it was found: its value, or what is wrong with it. */
type Field<Value = string | null> = { readonly value: Value } | { readonly fault: string };

/** The values of fields. @throws {Refusal} `invalid-fields` naming all that are wrong */
function faultless<Name extends string, Value>(
  fields: readonly (readonly [Name, Field<Value>])[],
): Record<Name, Value> {
  const faults = fields.flatMap(([name, field]) => ('fault' in field ? [[name, [field.fault]] as const] : []));
  if (faults.length > 0) throw new Refusal('invalid-fields', { fields: Object.fromEntries(faults) });
  const values = fields.flatMap(([name, field]) => ('value' in field ? [[name, field.value] as const] : []));
  return Object.fromEntries(values) as Record<Name, Value>;
}

/** A field that must be a text, judged in the words of Django REST Framework. */
function textFieldOf(value: unknown): Field<string> {
  if (value === undefined) return { fault: 'This field is required.' };
  if (value === null) return { fault: 'This field may not be null.' };
  if (typeof value !== 'string' || !value.isWellFormed()) return { fault: 'Not a valid string.' };
  if (value === '') return { fault: 'This field may not be blank.' };
  if (value.includes('\0')) return { fault: 'Null characters are not allowed.' };
  return { value };
}

function bodyOf(event: APIGatewayProxyEvent): Members {
  const text = textOf(event);
  if (text === '') return {};
  const mediaType = headerIn(event, 'content-type') ?? '';
  const [type = '', ...parameters] = mediaType.split(';').map((part) => part.trim().toLowerCase());
  const isUtf8 = parameters.every((part) => !part.startsWith('charset=') || /^charset="?utf-?8"?$/.test(part));
  if (isUtf8 && type === 'application/json') return membersOfJson(text);
  if (isUtf8 && type === 'application/x-www-form-urlencoded') return membersOfForm(text);
  throw new Refusal('unsupported-media-type', { shown: mediaType.slice(0, 100) });
}

function textOf({ body, isBase64Encoded }: APIGatewayProxyEvent): string {
  if (body === null) return '';
  if (!isBase64Encoded) {
    if (Buffer.byteLength(body) > MAX_BODY_BYTES) throw new Refusal('body-too-large');
    return body;
  }
  if (body.length > (MAX_BODY_BYTES * 4) / 3 + 4) throw new Refusal('body-too-large');
  // Buffer skips what is not base64 without a word.
  if (!BASE64.test(body)) throw new Refusal('malformed-body');
  const bytes = Buffer.from(body, 'base64');
  if (bytes.length > MAX_BODY_BYTES) throw new Refusal('body-too-large');
  return malformedUnless(() => utf8.decode(bytes));
}

function membersOfJson(text: string): Members {
  const value = malformedUnless((): unknown => JSON.parse(text));
  if (!isMembers(value)) {
    const fields = { non_field_errors: [`Invalid data. Expected a dictionary, but got ${kindOf(value)}.`] };
    throw new Refusal('not-an-object', { fields });
  }
  if (repeatsMember(text)) throw new Refusal('malformed-body');
  return value;
}

function membersOfForm(text: string): Members {
  const pairs = text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [name, value.join('=')].map((part) =>
        malformedUnless(() => decodeURIComponent(part.replaceAll('+', ' '))),
      );
    });
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) throw new Refusal('malformed-body');
  return Object.fromEntries(pairs) as Members;
}

/** What `read` gives. Its error is not passed on: a parser's message quotes what it read. */
function malformedUnless<Value>(read: () => Value): Value {
  try {
    return read();
  } catch {
    throw new Refusal('malformed-body');
  }
}

/** Django REST Framework's (that is, Python's) words for what was sent. */
const KINDS: Readonly<Record<string, string>> = { string: 'str', number: 'int', boolean: 'bool' };

function kindOf(value: unknown): string {
  if (value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  return KINDS[typeof value] ?? 'value';
}
