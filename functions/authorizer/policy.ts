import type { AccessClaims } from '../shared/token/claims.ts';

/** What a Lambda authorizer answers to API Gateway. */
export interface Verdict {
  readonly principalId: string;
  readonly policyDocument: {
    Version: string;
    Statement: { Action: string; Effect: 'Allow' | 'Deny'; Resource: string }[];
  };
  readonly context?: Record<string, string | number>;
}

/** Lets the bearer of a token call any route, and hands on what the routes need to know. */
export const allow = (methodArn: string, { sub, sid, exp, scope, roles }: AccessClaims): Verdict => ({
  ...verdict('Allow', methodArn, sub),
  context: {
    sub,
    sid,
    exp,
    ...(scope !== undefined && { scope }),
    // A context takes no lists.
    ...(roles !== undefined && { roles: JSON.stringify(roles) }),
  },
});

/** Keeps the bearer of a token out of every route. */
export const deny = (methodArn: string): Verdict => verdict('Deny', methodArn, 'refused');

/** It speaks of the whole API: API Gateway keeps it, and a narrow one would refuse the same token on the next route. */
const verdict = (effect: 'Allow' | 'Deny', methodArn: string, principalId: string): Verdict => ({
  principalId,
  policyDocument: {
    Version: '2012-10-17',
    Statement: [{ Action: 'execute-api:Invoke', Effect: effect, Resource: wholeApi(methodArn) }],
  },
});

/** `arn:aws:execute-api:region:account:api/stage/GET/api/profile` without what follows the stage. */
const wholeApi = (methodArn: string): string => `${methodArn.split('/').slice(0, 2).join('/')}/*`;
