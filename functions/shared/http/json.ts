/** Tokens of a text that is known to be JSON; numbers, words and white space fall between them. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/**
 * Whether the object a text of valid JSON holds has two members of one name. Parsers differ in which of the two they
 * keep (RFC 8259 section 4), and who checked a request before us may have read the other.
 */
export function repeatsMember(text: string): boolean {
  const seen = new Set<unknown>();
  let depth = 0;
  let string: string | undefined;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === ':' && depth === 1 && string !== undefined) {
      const name: unknown = JSON.parse(string);
      if (seen.has(name)) return true;
      seen.add(name);
    }
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
    string = token.startsWith('"') ? token : undefined;
  }
  return false;
}
