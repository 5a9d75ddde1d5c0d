/**
 * Reading values that come from outside (templates, answers of functions, state files): each reader returns a
 * type earned by a check, or complains and says where.
 */
import { Complaint } from './complaint.ts';

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws {Complaint} unless `value` is a JSON object */
export function fieldsOf(value: unknown, where: string): Fields {
  if (!isFields(value)) throw new Complaint(`${where} is not an object.`);
  return value;
}

/** @throws {Complaint} unless `value` is a string */
export function textOf(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new Complaint(`${where} is not a text.`);
  return value;
}

/** A number, or a text that is one: CloudFormation takes both. @throws {Complaint} otherwise */
export function numberOf(value: unknown, where: string): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw new Complaint(`${where} is not a number.`);
  return number;
}

/** An absent list is an empty one. @throws {Complaint} unless `value` is a list */
export function listOf(value: unknown, where: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Complaint(`${where} is not a list.`);
  return value;
}

/** An absent map is an empty one. @throws {Complaint} unless every value is a text */
export function textsOf(value: unknown, where: string): Record<string, string> {
  if (value === undefined) return {};
  return Object.fromEntries(
    Object.entries(fieldsOf(value, where)).map(([name, one]) => [name, textOf(one, `${where}.${name}`)]),
  );
}

/** @throws {Complaint} unless `text` is JSON */
export function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Complaint(`${where} is not JSON.`);
  }
}
