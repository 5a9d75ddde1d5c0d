import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Deployment } from './deployment-settings.ts';

/** Where a function finds a service that is not AWS's own. */
export type StandIn =
  | 'DYNAMODB_ENDPOINT'
  | 'SECRETS_ENDPOINT'
  | 'SECRETS_MANAGER_ENDPOINT'
  | 'SSM_ENDPOINT'
  | 'KMS_ENDPOINT'
  | 'SES_ENDPOINT'
  | 'JWKS_URL';

/** So that a busy machine is no outage, as it does everything at once. */
const PATIENCE = 4;
/** The longest that API Gateway waits for a function, in seconds. */
const INTEGRATION_LIMIT = 29;

/**
 * Declares the variable in env=local only. `sam local --env-vars` overrides no variable that the template does
 * not declare, and a function without its endpoint would ask the real AWS. The value is the discard port: a
 * variable that nobody overrode fails at once, on this machine.
 */
export function standInFor({ environment }: Deployment, fn: LambdaFunction, variable: StandIn): void {
  if (environment !== 'local') return;
  fn.addEnvironment(variable, 'http://127.0.0.1:9');
  fn.addEnvironment('PATIENCE', String(PATIENCE));
}

/**
 * How long a function may take, in seconds: in env=local long enough for its patience.
 *
 * @param seconds on AWS
 */
export const timeoutIn = ({ environment }: Deployment, seconds: number): number =>
  environment === 'local' ? Math.max(seconds, Math.min(seconds * PATIENCE, INTEGRATION_LIMIT)) : seconds;
