import { CustomResource, Duration, type Stack } from 'aws-cdk-lib/core';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LayerVersion, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { FactName } from 'aws-cdk-lib/region-info';
import type { Deployment } from './deployment-settings.ts';
import { keptOrNot } from './removal.ts';
import { standInFor } from './stand-ins.ts';

const VARIABLES = {
  signingKeys: 'SIGNING_KEYS_SECRET',
  refreshSecrets: 'REFRESH_SECRETS_SECRET',
  peppers: 'PEPPERS_SECRET',
} as const;
export type SecretName = keyof typeof VARIABLES;

/** The Parameters and Secrets extension. A function keeps what it read for five minutes itself. */
const EXTENSION_VERSION = '1.0.103';
const EXTENSION_SETTINGS = {
  PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL: 'warn',
  PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE: '10',
  SECRETS_MANAGER_TTL: '60',
  SSM_PARAMETER_STORE_TTL: '60',
  // As long as a function waits for the extension; without a limit it waits for as long as the function lives.
  SECRETS_MANAGER_TIMEOUT_MILLIS: '1000',
  SSM_PARAMETER_STORE_TIMEOUT_MILLIS: '1000',
};

export interface KeyRing {
  readonly secrets: Readonly<Record<SecretName, Secret>>;
  /** Names secrets to a function, lets it read exactly these, and gives it the extension that caches them. */
  lendTo(fn: LambdaFunction, ...names: readonly SecretName[]): void;
  /** Names the public key set to a function and lets it read that. */
  lendPublicKeysTo(fn: LambdaFunction): void;
  /** Lets a function read and write all of it. */
  lendForMaking(fn: LambdaFunction): void;
  /** Makes the first keys at deploy time; a deployment with keys keeps them. */
  fillWith(fn: LambdaFunction): void;
}

/**
 * Three secrets and the public key set. CloudFormation only makes the places; what is in them comes from the
 * make-keys function.
 *
 * Their properties must never change: CloudFormation writes the initial value again when the secret's generator
 * changes, and the parameter's at any change of the parameter. A test holds them.
 */
export function keyRing(stack: Stack, deployment: Deployment): KeyRing {
  const removalPolicy = keptOrNot(deployment);
  // A random text is no key ring, so it counts as empty.
  const secret = (id: string) => new Secret(stack, id, { generateSecretString: {}, removalPolicy });
  const secrets = {
    signingKeys: secret('SigningKeys'),
    refreshSecrets: secret('RefreshSecrets'),
    peppers: secret('Peppers'),
  };
  const publicKeys = new StringParameter(stack, 'PublicKeys', { stringValue: 'not made yet' });
  publicKeys.applyRemovalPolicy(removalPolicy);

  const withExtension = new Set<LambdaFunction>();
  function addExtension(fn: LambdaFunction): void {
    standInFor(deployment, fn, 'SECRETS_ENDPOINT');
    // Locally the endpoint answers in its place, and `sam local` could not fetch the layer without an account.
    if (deployment.environment === 'local' || withExtension.has(fn)) return;
    withExtension.add(fn);
    const arn = stack.regionalFact(FactName.paramsAndSecretsLambdaLayer(EXTENSION_VERSION, fn.architecture.name));
    fn.addLayers(LayerVersion.fromLayerVersionArn(fn, 'Extension', arn));
    for (const [variable, value] of Object.entries(EXTENSION_SETTINGS)) fn.addEnvironment(variable, value);
  }

  function lend(fn: LambdaFunction, names: readonly SecretName[], actions: string[]): void {
    for (const name of names) fn.addEnvironment(VARIABLES[name], secrets[name].secretArn);
    const resources = names.map((name) => secrets[name].secretArn);
    fn.addToRolePolicy(new PolicyStatement({ actions, resources }));
  }

  function lendPublicKeys(fn: LambdaFunction, actions: string[]): void {
    fn.addEnvironment('PUBLIC_KEYS_PARAMETER', publicKeys.parameterName);
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [publicKeys.parameterArn] }));
  }

  return {
    secrets,
    lendTo(fn, ...names) {
      lend(fn, names, ['secretsmanager:GetSecretValue']);
      addExtension(fn);
    },
    lendPublicKeysTo(fn) {
      lendPublicKeys(fn, ['ssm:GetParameter']);
      addExtension(fn);
    },
    lendForMaking(fn) {
      lend(
        fn,
        ['signingKeys', 'refreshSecrets', 'peppers'],
        ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
      );
      lendPublicKeys(fn, ['ssm:GetParameter', 'ssm:PutParameter']);
      standInFor(deployment, fn, 'SECRETS_MANAGER_ENDPOINT');
      standInFor(deployment, fn, 'SSM_ENDPOINT');
    },
    fillWith(fn) {
      const made = new CustomResource(stack, 'Keys', {
        resourceType: 'Custom::LatchkeyKeys',
        serviceToken: fn.functionArn,
        serviceTimeout: Duration.minutes(5),
        // A change of these runs the function again; it adds what is missing and takes nothing away.
        properties: { Algorithm: deployment.functions.signingAlgorithm },
      });
      // The function's own dependency would do, were its rights never to move out of its role's policy.
      if (fn.role) made.node.addDependency(fn.role);
    },
  };
}
