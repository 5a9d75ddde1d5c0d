import { JwtVerifier } from 'aws-jwt-verify';

/** It looks for the keys at `<issuer>/.well-known/jwks.json`. */
export function awsJwtVerify(issuer: string, audience: string) {
  const verifier = JwtVerifier.create({ issuer, audience });
  return (token: string) => verifier.verify(token);
}
