/**
 * Where requests go, and which of them may carry the token. Compares texts instead of parsing: a text that begins with an
 * origin and a slash leads to that origin whatever follows (RFC 3986 section 3.2 ends the authority there), and React
 * Native's own `URL` does not know origins.
 */
export interface Destinations {
  /** A path of the API as a URL; what names a scheme stays as it is. */
  readonly urlOf: (target: string) => string;
  /** Whether a URL is one of those that get the token. */
  readonly isTrusted: (url: string) => boolean;
}

/** Without a user name, which would make it another host than it seems. */
const ORIGIN = /^https?:\/\/[^/?#\\@\s]+(?=[/?#]|$)/i;

/**
 * @param base URL of the API, with or without a path
 * @param origins further origins that take its tokens
 * @throws {TypeError} for what is no http or https URL
 */
export function destinations(base: string, origins: readonly string[]): Destinations {
  const trusted = [base, ...origins].map((url) => {
    const origin = ORIGIN.exec(url)?.[0];
    if (!origin) throw new TypeError(`Not http(s): ${url}`);
    return `${origin}/`;
  });
  const root = base.replace(/\/+$/, '');
  return {
    urlOf: (target) => (/^[a-z][\w+.-]*:/i.test(target) ? target : `${root}/${target.replace(/^\//, '')}`),
    isTrusted: (url) => trusted.some((origin) => `${url}/`.startsWith(origin)),
  };
}
