import { expect } from '@jest/globals';
import { listIn, membersOf, membersOfJson } from '../../functions/shared/domain/unknown.ts';
import type { KeyTexts } from './keys.ts';

/** Everything in a ring that must never be read by anybody: private members of keys, and secrets. */
function secretsOf(ring: string): string[] {
  return listIn(membersOfJson(ring), 'keys').flatMap((key) =>
    [key['secret'], 'privateJwk' in key ? membersOf(key['privateJwk'])['d'] : undefined].filter(
      (text) => typeof text === 'string',
    ),
  );
}

/**
 * Expects that a log says nothing it must not: no key, none of the given texts (passwords, hashes, names), and no part
 * of a token but its public header.
 */
export function expectNoSecretsIn(log: readonly string[], keys: KeyTexts, texts: readonly string[]): void {
  expect(log.length).toBeGreaterThan(0);
  for (const line of log) expect(() => membersOfJson(line)).not.toThrow();
  const all = log.join('\n');
  const rings = [keys.signing, keys.refresh, keys.peppers].flatMap(secretsOf);
  expect(rings).toHaveLength(3);
  for (const secret of [...rings, ...texts.flatMap(partsOf)]) expect(all).not.toContain(secret);
  expect(all).not.toMatch(/eyJ[\w-]{10}|\$2[aby]\$/);
}

/** A text; of a token its payload and its signature, each by itself. */
const partsOf = (text: string): string[] => {
  const [, payload = '', signature = ''] = /^eyJ[\w-]+\.([\w-]+)\.([\w-]+)$/.exec(text) ?? [];
  return [text, payload, signature].filter((part) => part !== '');
};
