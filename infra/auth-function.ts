import { AssetHashType, DockerImage, Duration, type Stack } from 'aws-cdk-lib/core';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { arch } from 'node:os';
import { join } from 'node:path';
import { SETTINGS } from '../functions/shared/domain/settings.ts';
import { PROJECT_ROOT, bundle } from './bundling/options.ts';
import type { Deployment } from './deployment-settings.ts';
import type { FunctionRow } from './endpoints.ts';
import { keptLogs } from './log-group.ts';
import { metricsNamespace } from './metrics.ts';
import { timeoutIn } from './stand-ins.ts';

/**
 * The one way we make a Lambda: a role of its own that may write to a log group of its own and nothing else,
 * until it is lent something.
 *
 * @param name folder below functions/, and in PascalCase the logical id
 * @param issuer base URL that tokens name as `iss`, for the functions whose row asks for it
 */
export function authFunction(
  stack: Stack,
  name: string,
  row: FunctionRow,
  deployment: Deployment,
  issuer: string,
): LambdaFunction {
  const id = pascalCase(name);
  const logGroup = keptLogs(stack, `${id}Logs`, deployment);
  const role = new Role(stack, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  const reserved = row.reservedConcurrency === undefined ? 0 : deployment.stack[row.reservedConcurrency];
  const fn = new LambdaFunction(stack, id, {
    code: bundledCode(name, deployment),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: architectureFor(deployment),
    memorySize: deployment.stack[row.memory ?? 'functionMemory'],
    timeout: Duration.seconds(timeoutIn(deployment, row.timeoutSeconds ?? 10)),
    role,
    logGroup,
    loggingFormat: LoggingFormat.JSON,
    ...(deployment.stack.tracing === 'on' && { tracing: Tracing.ACTIVE }),
    ...(reserved > 0 && { reservedConcurrentExecutions: reserved }),
  });
  fn.addToRolePolicy(
    new PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    }),
  );
  fn.addEnvironment('METRICS_NAMESPACE', metricsNamespace(stack));
  for (const setting of row.settings) {
    if (setting === 'issuer') fn.addEnvironment('ISSUER', issuer);
    else fn.addEnvironment(SETTINGS[setting].env, String(deployment.functions[setting]));
  }
  return fn;
}

/** Graviton costs a fifth less. In env=local it is what runs without emulation in the containers of `sam local`. */
const architectureFor = ({ environment }: Deployment): Architecture =>
  environment === 'local' && arch() !== 'arm64' ? Architecture.X86_64 : Architecture.ARM_64;

function bundledCode(name: string, { functions }: Deployment): Code {
  return Code.fromAsset(join(PROJECT_ROOT, 'functions', name), {
    // The hash is the bundle's own, so that only a change of what runs changes the template.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('never used: esbuild runs here'),
      local: {
        tryBundle(folder) {
          bundle(name, folder, functions.signing);
          return true;
        },
      },
    },
  });
}

const pascalCase = (name: string) => name.replace(/(?:^|-)([a-z])/g, (_dash, letter: string) => letter.toUpperCase());
