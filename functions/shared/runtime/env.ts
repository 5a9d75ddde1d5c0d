import { settingFrom, SETTINGS, type SettingName, type SettingValue } from '../domain/settings.ts';

/**
 * Reads environment variables at cold start.
 *
 * @throws {Error} naming every one that is missing or empty, never a value
 */
export function readEnv<Name extends string>(...names: Name[]): Record<Name, string> {
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length > 0) throw new Error(`Environment variables missing: ${missing.join(', ')}.`);
  const values = names.map((name) => [name, process.env[name] ?? ''] as const);
  return Object.fromEntries(values) as Record<Name, string>;
}

/** Reads an environment variable that may be missing; only local runs set these. */
export const optionalEnv = (name: string): string | undefined => process.env[name] || undefined;

/**
 * Reads settings at cold start; one that is not set has its default.
 *
 * @throws {RangeError} naming the setting and what it takes
 */
export function readSettings<Name extends SettingName>(...names: Name[]): { [Each in Name]: SettingValue<Each> } {
  const values = names.map((name) => [name, settingFrom(name, process.env[SETTINGS[name].env], 'run')] as const);
  return Object.fromEntries(values) as { [Each in Name]: SettingValue<Each> };
}
