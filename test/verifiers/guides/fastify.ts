import fastifyJwt, { type TokenOrHeader } from '@fastify/jwt';
import fastify, { type FastifyRequest } from 'fastify';
import { JwksClient } from 'jwks-rsa';

export async function fastifyApp(issuer: string, audience: string) {
  const keys = new JwksClient({ jwksUri: `${issuer}/.well-known/jwks.json`, rateLimit: true });
  const app = fastify();
  await app.register(fastifyJwt, {
    decode: { complete: true },
    secret: async (_request: FastifyRequest, token: TokenOrHeader) =>
      (await keys.getSigningKey(String(token.header.kid))).getPublicKey(),
    verify: {
      allowedIss: issuer,
      allowedAud: audience,
      checkTyp: 'at+jwt',
      algorithms: ['ES256', 'EdDSA', 'RS256'],
    },
  });
  app.addHook('onRequest', (request) => request.jwtVerify());
  app.get('/me', (request) => request.user);
  return app;
}
