import * as oauth from 'oauth4webapi';

/** Everything else comes from the metadata of the issuer; `typ` and claims are checked as RFC 9068 says. */
export async function oauth4webapi(issuer: string, audience: string) {
  const url = new URL(issuer);
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
  return (request: Request) => oauth.validateJwtAccessToken(server, request, audience);
}
