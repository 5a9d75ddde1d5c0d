import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { SIGNING_ALGORITHMS } from '../../functions/shared/domain/settings.ts';
import { now } from '../../functions/shared/runtime/clock.ts';
import { startIssuerServer, type IssuerServer, type PublishedIssuer } from '../support/issuer-server.ts';
import { awsJwtVerify } from './guides/aws-jwt-verify.ts';
import { oauth4webapi } from './guides/oauth4webapi.ts';
import { AUDIENCE, tokensOf } from './tokens.ts';

let server: IssuerServer;
/** At its own domain, and below a stage's path. */
let atDomain: PublishedIssuer;
let atStage: PublishedIssuer;

beforeAll(async () => {
  server = await startIssuerServer();
  // Keys of every algorithm at once, as while a deployment changes from one to the other.
  atDomain = await server.issuer('', ...SIGNING_ALGORITHMS);
  atStage = await server.issuer('/v1', 'ES256');
});
afterAll(() => server.close());

const METADATA = { response_types_supported: [], grant_types_supported: [], subject_types_supported: ['public'] };

test('openid-client discovers an issuer with a path, where OpenID Connect appends the document’s path', async () => {
  const found = (await openid.discovery(new URL(atStage.url), 'a-client')).serverMetadata();
  expect(found).toMatchObject({ ...METADATA, issuer: atStage.url, jwks_uri: `${atStage.url}/.well-known/jwks.json` });
  expect(server.asked.at(-1)).toBe('/v1/.well-known/openid-configuration');
});

test.each(['oidc', 'oauth2'] as const)('openid-client discovers an issuer without a path by %s', async (algorithm) => {
  const found = (
    await openid.discovery(new URL(atDomain.url), 'a-client', undefined, undefined, { algorithm })
  ).serverMetadata();
  expect(found).toMatchObject({ ...METADATA, issuer: atDomain.url, jwks_uri: `${atDomain.url}/.well-known/jwks.json` });
});

test('RFC 8414 puts the document before an issuer’s path, which is outside of a stage', async () => {
  const url = new URL(atStage.url);
  await oauth.discoveryRequest(url, { algorithm: 'oauth2' });
  expect(server.asked.at(-1)).toBe('/.well-known/oauth-authorization-server/v1');
});

test.each([0, 1, 2])('a set with keys of every algorithm gives each token its own (%#)', async (at) => {
  const key = atDomain.keys[at];
  const { good, refresh } = await tokensOf({ ...atDomain, keys: key ? [key] : [] }, now());
  const [aws, rfc9068] = [awsJwtVerify(atDomain.url, AUDIENCE), await oauth4webapi(atDomain.url, AUDIENCE)];
  const request = (token: string) =>
    new Request('https://api.example/', { headers: { Authorization: `Bearer ${token}` } });
  expect(await aws(good)).toMatchObject({ iss: atDomain.url });
  expect(await rfc9068(request(good))).toMatchObject({ iss: atDomain.url });
  await expect(aws(refresh)).rejects.toThrow();
  await expect(rfc9068(request(refresh))).rejects.toThrow();
});
