import { CustomResource, Duration, type Stack } from 'aws-cdk-lib/core';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LayerVersion, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnRotationSchedule, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { FactName } from 'aws-cdk-lib/region-info';
import { SETTINGS } from '../functions/shared/domain/settings.ts';
import type { Deployment } from './deployment-settings.ts';
import { kmsKeys } from './kms-keys.ts';
import { keptOrNot } from './removal.ts';
import { standInFor } from './stand-ins.ts';

const VARIABLES = {
  signingKeys: 'SIGNING_KEYS_SECRET',
  refreshSecrets: 'REFRESH_SECRETS_SECRET',
  peppers: 'PEPPERS_SECRET',
} as const;
export type SecretName = keyof typeof VARIABLES;
const SECRET_NAMES = ['signingKeys', 'refreshSecrets', 'peppers'] as const satisfies readonly SecretName[];

/** The settings of a function that keeps keys in its memory. */
const CACHE_SETTINGS = ['keyRefreshInterval', 'keyMaxStale'] as const;

/**
 * The Parameters and Secrets extension: the client without its weight. Functions keep what they read themselves, and where
 * they read again before that is old, they look for a key that is new: nothing may answer from memory then.
 */
const EXTENSION_VERSION = '1.0.103';
const EXTENSION_SETTINGS = {
  PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL: 'warn',
  SECRETS_MANAGER_TTL: '0',
  SSM_PARAMETER_STORE_TTL: '0',
  // As long as a function waits for the extension; without a limit it waits for as long as the function lives.
  SECRETS_MANAGER_TIMEOUT_MILLIS: '1000',
  SSM_PARAMETER_STORE_TIMEOUT_MILLIS: '1000',
};

const INITIAL_PUBLIC_KEYS = 'not made yet';

export interface KeyRing {
  readonly secrets: Readonly<Record<SecretName, Secret>>;
  readonly publicKeys: StringParameter;
  /**
   * Names secrets to a function, lets it read exactly these, and gives it the extension that caches them; with the signing keys, lets it
   * sign with those of KMS. Call it after {@link fillWith}.
   */
  lendTo(fn: LambdaFunction, ...names: readonly SecretName[]): void;
  /** Names the public key set to a function and lets it read that. */
  lendPublicKeysTo(fn: LambdaFunction): void;
  /** Lets a function read and write all of it. */
  lendForMaking(fn: LambdaFunction): void;
  /** Lets a function read and write all of it, pending versions included. */
  lendForRotating(fn: LambdaFunction): void;
  /** Makes the first keys at deploy time; a deployment with keys keeps them. */
  fillWith(fn: LambdaFunction): void;
  /** Has Secrets Manager call a function when the time has come for new keys. Call it after {@link fillWith}. */
  rotateWith(fn: LambdaFunction): void;
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
  const publicKeys = new StringParameter(stack, 'PublicKeys', { stringValue: INITIAL_PUBLIC_KEYS });
  publicKeys.applyRemovalPolicy(removalPolicy);

  const inKms = kmsKeys(stack, deployment, secrets.signingKeys.secretArn);

  const withExtension = new Set<LambdaFunction>();
  function addExtension(fn: LambdaFunction): void {
    standInFor(deployment, fn, 'SECRETS_ENDPOINT');
    for (const setting of CACHE_SETTINGS) {
      fn.addEnvironment(SETTINGS[setting].env, String(deployment.functions[setting]));
    }
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

  function lendForChanging(fn: LambdaFunction, more: readonly string[]): void {
    const actions = ['GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage', ...more];
    lend(
      fn,
      SECRET_NAMES,
      actions.map((action) => `secretsmanager:${action}`),
    );
    lendPublicKeys(fn, ['ssm:GetParameter', 'ssm:PutParameter']);
    standInFor(deployment, fn, 'SECRETS_MANAGER_ENDPOINT');
    standInFor(deployment, fn, 'SSM_ENDPOINT');
    inKms?.lendForChanging(fn);
  }

  let filled: CustomResource | undefined;

  return {
    secrets,
    publicKeys,
    lendTo(fn, ...names) {
      lend(fn, names, ['secretsmanager:GetSecretValue']);
      addExtension(fn);
      if (!names.includes('signingKeys')) return;
      inKms?.lendForSigning(fn);
      // A function changes only when the keys that it will need are there: where they cannot be, nothing changes.
      if (filled) fn.node.addDependency(filled);
    },
    lendPublicKeysTo(fn) {
      lendPublicKeys(fn, ['ssm:GetParameter']);
      addExtension(fn);
    },
    lendForMaking: (fn) => lendForChanging(fn, []),
    // Which version is pending is in the description of a secret alone.
    lendForRotating: (fn) => lendForChanging(fn, ['DescribeSecret']),
    fillWith(fn) {
      const made = new CustomResource(stack, 'Keys', {
        resourceType: 'Custom::LatchkeyKeys',
        serviceToken: fn.functionArn,
        serviceTimeout: Duration.minutes(5),
        // A change of these runs the function again; it adds what is missing and takes nothing away.
        properties: {
          Algorithm: deployment.functions.signingAlgorithm,
          Signing: deployment.functions.signing,
          ...(inKms && { KmsKeys: deployment.stack.removalPolicy }),
          // CloudFormation writes the parameter's first value again when it changes the parameter, and only this
          // function puts the public keys back: so whatever changes the one runs the other.
          PublicKeys: JSON.stringify([INITIAL_PUBLIC_KEYS, stack.tags.tagValues()]),
        },
      });
      made.node.addDependency(publicKeys);
      // The function's own dependency would do, were its rights never to move out of its role's policy.
      if (fn.role) made.node.addDependency(fn.role);
      filled = made;
    },
    rotateWith(fn) {
      const { keyRotationDays, pepperRotationDays } = deployment.stack;
      const days = { signingKeys: keyRotationDays, refreshSecrets: keyRotationDays, peppers: pepperRotationDays };
      for (const name of SECRET_NAMES) {
        const secret = secrets[name];
        // Not the schedule of the library: that gives the function a right on every secret, and anybody's Secrets
        // Manager the right to call it.
        fn.addPermission(`Rotate${secret.node.id}`, {
          principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
          sourceAccount: stack.account,
          sourceArn: secret.secretArn,
        });
        const schedule = new CfnRotationSchedule(stack, `${secret.node.id}Rotation`, {
          secretId: secret.secretArn,
          rotationLambdaArn: fn.functionArn,
          rotateImmediatelyOnUpdate: false,
          // Without rules it rotates when an operator says so.
          ...(days[name] !== 'never' && { rotationRules: { scheduleExpression: `rate(${days[name]} days)` } }),
        });
        // Secrets Manager tries the function when the schedule is made: it must be allowed to, and find keys.
        schedule.node.addDependency(fn);
        if (fn.role) schedule.node.addDependency(fn.role);
        if (filled) schedule.node.addDependency(filled);
      }
    },
  };
}
