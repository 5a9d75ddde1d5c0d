import { createVerifier } from 'fast-jwt';
import { JwksClient } from 'jwks-rsa';

export function fastJwt(issuer: string, audience: string) {
  const keys = new JwksClient({ jwksUri: `${issuer}/.well-known/jwks.json`, rateLimit: true });
  return createVerifier({
    key: async ({ header }: { header: { kid?: string } }) => (await keys.getSigningKey(header.kid)).getPublicKey(),
    allowedIss: issuer,
    allowedAud: audience,
    checkTyp: 'at+jwt',
    algorithms: ['ES256', 'EdDSA', 'RS256'],
  });
}
