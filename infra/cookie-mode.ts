import { getDomain } from 'tldts';
import { ANY_ORIGIN, originsNamed } from '../functions/shared/domain/origins.ts';

/**
 * What cookie mode needs to work in a browser. Its cookies are `SameSite=Strict` and `Secure`: they go along only with requests of
 * pages of the same site (HTML standard, "same site": the scheme, and the registrable domain by the Public Suffix List).
 *
 * @param domainName the custom domain of the API, if it has one; a site of AWS's is nobody's own
 * @throws {RangeError} naming the setting that stands in the way
 */
export function checkCookieMode(corsOrigin: string, domainName: string | undefined): void {
  const because = 'Setting cookieMode "on" needs';
  if (domainName === undefined) {
    throw new RangeError(
      `${because} the setting domainName: its cookies are SameSite=Strict, so the API must be on the application's site.`,
    );
  }
  if (corsOrigin === ANY_ORIGIN) {
    throw new RangeError(`${because} the setting corsOrigin to name the application's origins, not "*".`);
  }
  for (const origin of originsNamed(corsOrigin)) {
    const { protocol, hostname } = new URL(origin);
    if (protocol !== 'https:')
      throw new RangeError(`${because} https origins in the setting corsOrigin, not "${origin}".`);
    if (!isOnSiteOf(domainName, hostname)) {
      throw new RangeError(
        `${because} origins on the site of the setting domainName ("${domainName}") in corsOrigin, not "${origin}".`,
      );
    }
  }
}

/** Private suffixes (`github.io`) count as browsers count them: below them each name is a site of its own. */
function isOnSiteOf(domainName: string, hostname: string): boolean {
  const [one, other] = [domainName, hostname].map((name) => getDomain(name, { allowPrivateDomains: true }));
  return domainName === hostname || (one !== null && one === other);
}
