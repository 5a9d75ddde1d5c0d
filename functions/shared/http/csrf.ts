/** What a browser says of the page that a request comes from. No script can set or forge any of it. */
export interface Provenance {
  /** `Sec-Fetch-Site` (W3C Fetch Metadata, section 2.4): how the page's origin relates to ours; old browsers lack it. */
  readonly site: string | undefined;
  /** `Origin` (RFC 6454 section 7). */
  readonly origin: string | undefined;
  /** The origin under which the request reached us, where that is known. */
  readonly own: string | undefined;
}

/**
 * Whether a request comes from a page that may act with its user's cookies: one of ours, or of the origins that are
 * configured. Cookies alone prove nothing, for a browser sends them along whoever asks (OWASP, Cross-Site Request Forgery
 * Prevention Cheat Sheet: Fetch Metadata first, `Origin` where a browser has none).
 */
export function isFromOurPages({ site, origin, own }: Provenance, configured: readonly string[]): boolean {
  const isConfigured = origin !== undefined && configured.includes(origin);
  switch (site) {
    case 'same-origin':
      return true;
    case 'same-site':
      // A sister's page: of a team's own site, or of whoever got hold of one of its subdomains.
      return isConfigured;
    case undefined:
      return isConfigured || (origin !== undefined && origin === own);
    default:
      return false;
  }
}
