/** A cloud assembly, deployed on this machine: tables, secrets and functions, ready to be called. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StackAccess } from '../cli/stack-access.ts';
import { type Assembly, readAssembly } from './assembly.ts';
import { callCustomResources, createTables, declareSecrets, scheduleRotations } from './cloudformation.ts';
import { Complaint } from './complaint.ts';
import { startKmsStandIn } from './kms-stand-in.ts';
import { type LambdaFunction, functionFrom } from './lambda.ts';
import { startSecretsStandIn } from './secrets-stand-in.ts';
import { type LocalMail, startSesStandIn } from './ses-stand-in.ts';

export interface LocalDeploymentOptions {
  /** Folder of the cloud assembly: what `cdk synth -c env=local` wrote. */
  readonly assembly: string;
  /** Base URL of a DynamoDB engine. */
  readonly engineEndpoint: string;
  /** Where secrets are kept between runs; without it, in memory. */
  readonly secretsFile?: string;
  /** Where the keys of KMS are kept between runs; without it, in memory. */
  readonly kmsFile?: string;
  /** Where mails are written; without it, in memory. */
  readonly mailsFile?: string;
  /** A mail that a function sent. */
  readonly onMail?: (mail: LocalMail) => void;
  /** Replaces values of the template's function environments, for functions that declare the variable. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The same for one function, by its logical id, over everything else. */
  readonly environmentOf?: (functionId: string) => Readonly<Record<string, string>>;
  /** Lines that functions write. */
  readonly onOutput?: (functionName: string, line: string) => void;
  /** Lines of the platform: cold starts, and functions that failed. */
  readonly onPlatform?: (line: string) => void;
}

export interface LocalDeployment {
  readonly assembly: Assembly;
  /** By ARN. */
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly secretsEndpoint: string;
  readonly kmsEndpoint: string;
  readonly mailEndpoint: string;
  /** What functions mailed, oldest first. */
  readonly mails: readonly LocalMail[];
  /** For the operators' commands. Closing it closes nothing here. */
  readonly access: StackAccess;
  readonly close: () => Promise<void>;
}

/** @throws {Complaint} when the assembly, the engine or a custom resource does not do; nothing is left running then */
export async function deployLocally(options: LocalDeploymentOptions): Promise<LocalDeployment> {
  const assembly = readAssembly(options.assembly);
  const secrets = await startSecretsStandIn(options.secretsFile);
  const kms = await startKmsStandIn(options.kmsFile);
  const ses = await startSesStandIn({ file: options.mailsFile, onMail: options.onMail });
  const functions = new Map<string, LambdaFunction>();
  // Outside of the project, see functionFrom; a copy, so that a later synthesis changes nothing that runs.
  const taskRoot = mkdtempSync(join(tmpdir(), 'latchkey-functions-'));
  const close = async (): Promise<void> => {
    await Promise.all([...functions.values()].map((fn) => fn.close()));
    await Promise.all([secrets.close(), kms.close(), ses.close()]);
    rmSync(taskRoot, { recursive: true, force: true });
  };
  const hooks = {
    onOutput: options.onOutput ?? (() => undefined),
    onPlatform: options.onPlatform ?? (() => undefined),
    overridesOf: (functionId: string) => ({
      DYNAMODB_ENDPOINT: options.engineEndpoint,
      SECRETS_ENDPOINT: secrets.endpoint,
      SECRETS_MANAGER_ENDPOINT: secrets.endpoint,
      SSM_ENDPOINT: secrets.endpoint,
      KMS_ENDPOINT: kms.endpoint,
      SES_ENDPOINT: ses.endpoint,
      ...options.environment,
      ...options.environmentOf?.(functionId),
    }),
  };
  try {
    for (const resource of assembly.ofType('AWS::Lambda::Function')) {
      const fn = functionFrom(resource, assembly, taskRoot, hooks);
      functions.set(fn.arn, fn);
    }
    await createTables(assembly, options.engineEndpoint);
    declareSecrets(assembly, secrets.store);
    scheduleRotations(assembly, functions, secrets);
    await callCustomResources(assembly, functions);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    assembly,
    functions,
    secretsEndpoint: secrets.endpoint,
    kmsEndpoint: kms.endpoint,
    mailEndpoint: ses.endpoint,
    mails: ses.mails,
    access: {
      get usersTable() {
        return assembly.output('UsersTable');
      },
      get sessionsTable() {
        return assembly.output('SessionsTable');
      },
      dynamoDbEndpoint: options.engineEndpoint,
      peppersSecret: () => {
        const secret = secrets.store.secret(assembly.output('PeppersSecret'));
        return secret === undefined
          ? Promise.reject(new Complaint('The stack has no pepper secret.'))
          : Promise.resolve(secret.text);
      },
      close: () => Promise.resolve(),
    },
    close,
  };
}
