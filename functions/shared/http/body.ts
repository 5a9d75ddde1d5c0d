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
 * What is wrong with the value of a field, in words for the one who chose it; empty where nothing is.
 *
 * @param others the whole body, for a rule that looks at another field as well
 */
export type FieldRule = (value: string, others: Members) => readonly string[];

type Rules<Name extends string> = Readonly<Record<Name, FieldRule>>;

/** The rule of a field that may be any text. */
export const anyText: FieldRule = () => [];

/**
 * Reads text fields of a body, JSON or form. Every field that is wrong is named, all at once.
 *
 * @throws {Refusal} `body-too-large`, `unsupported-media-type`, `malformed-body`, `not-an-object`, `invalid-fields`
 */
export const stringsIn = <Name extends string>(event: APIGatewayProxyEvent, ...names: Name[]): Record<Name, string> =>
  fieldsIn(event, Object.fromEntries(names.map((name) => [name, anyText])) as Rules<Name>);

/**
 * Like {@link stringsIn}, with a rule for each field. An optional field is undefined where it is not there or null.
 *
 * @throws {Refusal} as {@link stringsIn}
 */
export function fieldsIn<Name extends string, Optional extends string = never>(
  event: APIGatewayProxyEvent,
  required: Rules<Name>,
  optional?: Rules<Optional>,
): Record<Name, string> & Partial<Record<Optional, string>> {
  const body = bodyOf(event);
  const member = (name: string) => (Object.hasOwn(body, name) ? body[name] : undefined);
  return faultless([
    ...entriesOf(required).map(([name, rule]) => [name, textField(member(name), rule, body)] as const),
    ...entriesOf(optional ?? ({} as Rules<Optional>))
      .filter(([name]) => member(name) !== undefined && member(name) !== null)
      .map(([name, rule]) => [name, textField(member(name), rule, body)] as const),
  ]) as Record<Name, string> & Partial<Record<Optional, string>>;
}

/**
 * Reads the text fields that the body of a PATCH changes; null takes a value away, a field that is not there stays. A
 * field without a rule is refused rather than ignored: whoever sent it believes that it is changed.
 *
 * @throws {Refusal} as {@link stringsIn}
 */
export function changesIn<Name extends string>(
  event: APIGatewayProxyEvent,
  rules: Rules<Name>,
): Partial<Record<Name, string | null>> {
  const body = bodyOf(event);
  return faultless(
    Object.entries(body).map(([name, value]): [string, Field] => {
      if (!isNameOf(rules, name)) return [name, { faults: ['This field may not be changed.'] }];
      return [name, value === null ? { value } : textField(value, rules[name], body)];
    }),
  ) as Partial<Record<Name, string | null>>;
}

/**
 * A change that another one asks for: as {@link stringsIn} would have it.
 *
 * @throws {Refusal} `invalid-fields` where it is missing or null
 */
export function requiredOf(name: string, value: string | null | undefined): string {
  const text = textOrFault(value);
  if ('faults' in text) throw new Refusal('invalid-fields', { fields: { [name]: text.faults } });
  return text.value;
}

const entriesOf = <Name extends string>(rules: Rules<Name>) => Object.entries(rules) as [Name, FieldRule][];

const isNameOf = <Name extends string>(rules: Rules<Name>, name: string): name is Name => Object.hasOwn(rules, name);

/** A field as it was found: its value, or what is wrong with it. */
type Field<Value = string | null> = { readonly value: Value } | { readonly faults: readonly string[] };

/** The values of fields. @throws {Refusal} `invalid-fields` naming all that are wrong */
function faultless(fields: readonly (readonly [string, Field])[]): Record<string, string | null> {
  const faults = fields.flatMap(([name, field]) => ('faults' in field ? [[name, field.faults] as const] : []));
  if (faults.length > 0) throw new Refusal('invalid-fields', { fields: Object.fromEntries(faults) });
  return Object.fromEntries(fields.flatMap(([name, field]) => ('value' in field ? [[name, field.value]] : [])));
}

function textField(value: unknown, rule: FieldRule, others: Members): Field<string> {
  const text = textOrFault(value);
  if ('faults' in text) return text;
  const faults = rule(text.value, others);
  return faults.length === 0 ? text : { faults };
}

/** A field that must be a text, judged in the words of Django REST Framework. */
function textOrFault(value: unknown): Field<string> {
  if (value === undefined) return { faults: ['This field is required.'] };
  if (value === null) return { faults: ['This field may not be null.'] };
  if (typeof value !== 'string' || !value.isWellFormed()) return { faults: ['Not a valid string.'] };
  if (value === '') return { faults: ['This field may not be blank.'] };
  if (value.includes('\0')) return { faults: ['Null characters are not allowed.'] };
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
