import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../functions/shared/domain/settings.ts';
import { now } from '../../functions/shared/runtime/clock.ts';
import { aUser } from '../support/builders.ts';
import { startIssuerServer, type IssuerServer, type PublishedIssuer } from '../support/issuer-server.ts';
import { awsJwtVerify } from './guides/aws-jwt-verify.ts';
import { oauth4webapi } from './guides/oauth4webapi.ts';
import { AUDIENCE, tokensOf, type Tokens } from './tokens.ts';

const CHALLENGE = 'Bearer error="invalid_token"';

/** Gives the claims of a token, or rejects. */
type Verify = (token: string) => Promise<unknown>;

interface Row {
  /** With what of ours it cannot do. */
  readonly name: string;
  readonly algorithms: readonly SigningAlgorithm[];
  readonly start: (issuer: string) => Verify | Promise<Verify>;
}

// What uses jwks-rsa is imported late: jest cannot give a CommonJS package jose while jose is still loading.
const VERIFIERS: readonly Row[] = [
  {
    name: 'aws-jwt-verify',
    algorithms: SIGNING_ALGORITHMS,
    start: (issuer) => awsJwtVerify(issuer, AUDIENCE),
  },
  {
    name: 'oauth4webapi, by discovery and as RFC 9068 says',
    algorithms: SIGNING_ALGORITHMS,
    start: async (issuer) => {
      const verify = await oauth4webapi(issuer, AUDIENCE);
      return (token) =>
        verify(new Request('https://api.example/me', { headers: { Authorization: `Bearer ${token}` } }));
    },
  },
  {
    name: 'jsonwebtoken with jwks-rsa, which knows no EdDSA',
    algorithms: ['ES256', 'RS256'],
    start: async (issuer) => (await import('./guides/jsonwebtoken.ts')).jsonwebtoken(issuer, AUDIENCE),
  },
  {
    name: 'the same as a middleware, the shape of which is Express’s',
    algorithms: ['ES256', 'RS256'],
    start: async (issuer) => {
      const { bearer } = await import('./guides/express.ts');
      const middleware = bearer(issuer, AUDIENCE);
      return async (token) => {
        const request: IncomingMessage & { claims?: unknown } = new IncomingMessage(new Socket());
        request.headers.authorization = `Bearer ${token}`;
        const response = new ServerResponse(request);
        let passed = false;
        await middleware(request, response, () => void (passed = true));
        if (passed) return request.claims;
        expect([response.statusCode, response.getHeader('www-authenticate')]).toEqual([401, CHALLENGE]);
        throw new Error('refused');
      };
    },
  },
  {
    name: 'fast-jwt with jwks-rsa',
    algorithms: SIGNING_ALGORITHMS,
    start: async (issuer) => (await import('./guides/fast-jwt.ts')).fastJwt(issuer, AUDIENCE),
  },
  {
    name: '@fastify/jwt in front of a route',
    algorithms: SIGNING_ALGORITHMS,
    start: async (issuer) => {
      const { fastifyApp } = await import('./guides/fastify.ts');
      const app = await fastifyApp(issuer, AUDIENCE);
      return async (token) => {
        const { statusCode, body } = await app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } });
        const answer: unknown = JSON.parse(body);
        if (statusCode === 200) return answer;
        // Anything else than 401 would be a failure of the guide, not a refusal.
        expect(statusCode).toBe(401);
        throw new Error(body);
      };
    },
  },
];

let server: IssuerServer;
const issuers = new Map<SigningAlgorithm, PublishedIssuer>();
const tokens = new Map<SigningAlgorithm, Tokens>();

beforeAll(async () => {
  server = await startIssuerServer();
  for (const alg of SIGNING_ALGORITHMS) {
    const issuer = await server.issuer(`/${alg}`, alg);
    issuers.set(alg, issuer);
    tokens.set(alg, await tokensOf(issuer, now()));
  }
});
afterAll(() => server.close());

describe.each(VERIFIERS)('$name', ({ algorithms, start }) => {
  describe.each(SIGNING_ALGORITHMS)('%s', (alg) => {
    let verify: Verify;
    beforeAll(async () => {
      verify = await start(issuers.get(alg)!.url);
    });

    if (algorithms.includes(alg)) {
      test('takes our access token', async () => {
        const { url } = issuers.get(alg)!;
        expect(await verify(tokens.get(alg)!.good)).toMatchObject({
          iss: url,
          aud: AUDIENCE,
          sub: aUser().id,
          roles: ['staff'],
        });
      });
    } else {
      test('is refused, not misread', async () => {
        await expect(verify(tokens.get(alg)!.good)).rejects.toThrow();
      });
    }

    test('takes no token that was tampered with', async () => {
      for (const [what, token] of Object.entries(tokens.get(alg)!.bad)) {
        expect([what, await outcomeOf(verify, token)]).toEqual([what, 'refused']);
      }
      // What came before has not shut it up.
      if (algorithms.includes(alg)) expect(await outcomeOf(verify, tokens.get(alg)!.good)).toBe('taken');
    });

    test('takes no refresh token for an access token', async () => {
      expect(await outcomeOf(verify, tokens.get(alg)!.refresh)).toBe('refused');
    });
  });
});

const outcomeOf = (verify: Verify, token: string) =>
  verify(token).then(
    () => 'taken',
    () => 'refused',
  );
