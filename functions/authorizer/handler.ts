import type { APIGatewayAuthorizerResult, APIGatewayTokenAuthorizerEvent } from 'aws-lambda';
import { Refusal } from '../shared/domain/refusal.ts';
import { now } from '../shared/runtime/clock.ts';
import { patient } from '../shared/runtime/connection.ts';
import { optionalEnv, readEnv, readSettings } from '../shared/runtime/env.ts';
import { log, nameOf } from '../shared/runtime/log.ts';
import { FETCH_TERMS, remoteKeySet } from '../shared/token/remote-key-set.ts';
import { verifierWith } from '../shared/token/verify.ts';
import { allow, deny, type Verdict } from './policy.ts';

const env = readEnv('ISSUER');
const settings = readSettings('audience', 'accessTokenLifetime', 'keySetUsableFor');

const keySet = remoteKeySet(new URL(optionalEnv('JWKS_URL') ?? `${env.ISSUER}/.well-known/jwks.json`), now, {
  ...FETCH_TERMS,
  answerWithin: patient(FETCH_TERMS.answerWithin),
  coolDownWithoutKeys: patient(FETCH_TERMS.coolDownWithoutKeys),
  usableFor: settings.keySetUsableFor,
});
const terms = { issuer: env.ISSUER, audience: settings.audience, lifetime: settings.accessTokenLifetime };
const verify = verifierWith(keySet.findKey, terms);

keySet.fetchAhead();

/**
 * Lets a request with a good access token in and denies a bad one. It throws only where no key set can be had, because
 * API Gateway keeps denials, and an outage must not become one.
 */
export const handler = async (event: APIGatewayTokenAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
  const verdict = await decide(event);
  // Without a cause: Lambda logs what is thrown, and an error of somebody else may quote a token.
  if (verdict === undefined) throw new Error('The authorizer could not decide.');
  return verdict;
};

async function decide({ authorizationToken, methodArn }: APIGatewayTokenAuthorizerEvent): Promise<Verdict | undefined> {
  try {
    const token = /^bearer +(\S+)$/i.exec(authorizationToken)?.[1] ?? '';
    return allow(methodArn, await verify(token, now()));
  } catch (error) {
    if (error instanceof Refusal) {
      log('INFO', 'bearer-refused', { reason: error.reason });
      return deny(methodArn);
    }
    log('ERROR', 'authorizer-failed', { error: nameOf(error) });
    return undefined;
  }
}
