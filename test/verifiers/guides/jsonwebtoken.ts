import jwt from 'jsonwebtoken';
import { JwksClient } from 'jwks-rsa';

/** For ES256 and RS256; it knows no EdDSA. */
export function jsonwebtoken(issuer: string, audience: string) {
  const keys = new JwksClient({ jwksUri: `${issuer}/.well-known/jwks.json`, rateLimit: true });
  return async (token: string) => {
    const kid = jwt.decode(token, { complete: true })?.header.kid;
    const key = (await keys.getSigningKey(kid)).getPublicKey();
    return jwt.verify(token, key, { issuer, audience, algorithms: ['ES256', 'RS256'] });
  };
}
