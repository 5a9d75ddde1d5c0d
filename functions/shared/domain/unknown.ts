import { unixSeconds, type UnixSeconds } from './time.ts';

/** A value from outside that turned out to be an object; its members are still unknown. */
export type Members = Readonly<Record<string, unknown>>;

/** Whether a value is an object with members, neither null nor an array. */
export const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value from outside was not what it must be. The message names the member, never the value. */
export class Unfit extends Error {
  override readonly name = 'Unfit';
}

const own = (from: Members, name: string): unknown => (Object.hasOwn(from, name) ? from[name] : undefined);

/** The object a text of JSON holds. @throws {Unfit} where it holds anything else; never quotes the text */
export function membersOfJson(text: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unfit('not JSON');
  }
  return membersOf(value);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Like {@link membersOfJson}, of bytes that must be UTF-8 without a byte order mark (RFC 8259 section 8.1). @throws {Unfit} */
export function membersOfBytes(bytes: Uint8Array): Members {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new Unfit('not UTF-8');
  }
  return membersOfJson(text);
}

/** @throws {Unfit} unless the value is an object */
export function membersOf(value: unknown): Members {
  if (!isMembers(value)) throw new Unfit('not an object');
  return value;
}

/** A text that is there and not empty. @throws {Unfit} */
export function textIn(from: Members, name: string): string {
  const value = own(from, name);
  if (typeof value !== 'string' || value === '') throw new Unfit(`${name} is no text`);
  return value;
}

/** A whole number that a double holds exactly. @throws {Unfit} */
export function wholeNumberIn(from: Members, name: string): number {
  const value = own(from, name);
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Unfit(`${name} is no whole number`);
  return value;
}

/** A time from 1970 on, in whole seconds. @throws {Unfit} */
export function timeIn(from: Members, name: string): UnixSeconds {
  const value = wholeNumberIn(from, name);
  if (value < 0) throw new Unfit(`${name} is no time`);
  return unixSeconds(value);
}

/** A list of texts. @throws {Unfit} */
export const textsIn = (from: Members, name: string): readonly string[] => listOfTexts(own(from, name));

/** @throws {Unfit} unless the value is a list of texts */
export function listOfTexts(value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) throw new Unfit('no list of texts');
  return value;
}

/** A list of objects. @throws {Unfit} */
export function listIn(from: Members, name: string): readonly Members[] {
  const value = own(from, name);
  if (!Array.isArray(value)) throw new Unfit(`${name} is no list`);
  return value.map(membersOf);
}

/** What `read` makes of a member, or undefined where the member is absent. @throws {Unfit} where it is there and unfit */
export const optional = <Value>(
  from: Members,
  name: string,
  read: (from: Members, name: string) => Value,
): Value | undefined => (own(from, name) === undefined ? undefined : read(from, name));
