/**
 * Stands in for Secrets Manager and Systems Manager (the operations our functions use, AWS JSON 1.1) and for the
 * Parameters and Secrets extension's two GETs, on one loopback port.
 */
import { type IncomingMessage, createServer } from 'node:http';
import { type Fields, isFields, textOf } from './fields.ts';
import { arn } from './intrinsics.ts';
import { SESSION_TOKEN } from './lambda.ts';
import { listen } from './listen.ts';
import { type Parameter, type Secret, type SecretsStore, secretsStore } from './secrets-store.ts';

export interface SecretsStandIn {
  readonly endpoint: string;
  readonly store: SecretsStore;
  close(): Promise<void>;
}

/** An error as the services give it: its name in `__type`. */
class ServiceError extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** @param file where secrets are kept between runs; without it, in memory */
export async function startSecretsStandIn(file?: string): Promise<SecretsStandIn> {
  const store = secretsStore(file);
  const server = createServer((request, response) => {
    void answer(request, store).then(({ status, body }) => {
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
  });
  const { endpoint, close } = await listen(server, { host: '127.0.0.1', port: 0 });
  return { endpoint, store, close };
}

async function answer(request: IncomingMessage, store: SecretsStore): Promise<{ status: number; body: object }> {
  try {
    if (request.method === 'GET') return extension(request, store);
    const target = request.headers['x-amz-target'];
    const operation = OPERATIONS[typeof target === 'string' ? target : ''];
    if (operation === undefined) {
      throw new ServiceError('UnknownOperationException', `The local stand-in does not know ${String(target)}.`);
    }
    return { status: 200, body: operation(await inputOf(request), store) };
  } catch (error) {
    const type = error instanceof ServiceError ? error.type : 'ValidationException';
    return { status: 400, body: { __type: type, message: error instanceof Error ? error.message : '' } };
  }
}

const OPERATIONS: Readonly<Record<string, (input: Fields, store: SecretsStore) => object>> = {
  'secretsmanager.GetSecretValue': ({ SecretId, VersionId, VersionStage }, store) => {
    onlyCurrent(VersionId, VersionStage);
    return secretValue(known(store.secret(textOf(SecretId, 'SecretId'))));
  },
  'secretsmanager.PutSecretValue': ({ SecretId, SecretString, ClientRequestToken, VersionStages }, store) => {
    onlyCurrent(undefined, VersionStages);
    const versionId = ClientRequestToken === undefined ? undefined : textOf(ClientRequestToken, 'ClientRequestToken');
    const {
      arn: ARN,
      name,
      versionId: VersionId,
    } = store.putSecret(
      known(store.secret(textOf(SecretId, 'SecretId'))),
      textOf(SecretString, 'SecretString'),
      versionId,
    );
    return { ARN, Name: name, VersionId, VersionStages: ['AWSCURRENT'] };
  },
  'AmazonSSM.GetParameter': ({ Name }, store) => parameterValue(knownParameter(textOf(Name, 'Name'), store)),
  'AmazonSSM.PutParameter': ({ Name, Value, Overwrite }, store) => {
    const name = textOf(Name, 'Name');
    if (Overwrite !== true && store.parameter(name) !== undefined) {
      throw new ServiceError('ParameterAlreadyExists', 'The parameter already exists.');
    }
    return { Version: store.putParameter(name, textOf(Value, 'Value')).version, Tier: 'Standard' };
  },
};

/** Versions other than the current one come with key rotation, which does not run locally. */
function onlyCurrent(versionId: unknown, stages: unknown): void {
  const asked = [stages].flat().filter((stage) => stage !== undefined && stage !== 'AWSCURRENT');
  if (versionId === undefined && asked.length === 0) return;
  throw new ServiceError('UnknownOperationException', 'The local stand-in keeps only the current version of a secret.');
}

function extension(request: IncomingMessage, store: SecretsStore): { status: number; body: object } {
  if (request.headers['x-aws-parameters-secrets-token'] !== SESSION_TOKEN) {
    return { status: 401, body: { message: 'X-Aws-Parameters-Secrets-Token is not the session token.' } };
  }
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  switch (pathname) {
    case '/secretsmanager/get':
      return { status: 200, body: secretValue(known(store.secret(searchParams.get('secretId') ?? ''))) };
    case '/systemsmanager/parameters/get':
      return { status: 200, body: parameterValue(knownParameter(searchParams.get('name') ?? '', store)) };
    default:
      throw new ServiceError('UnknownOperationException', `The local stand-in does not know GET ${pathname}.`);
  }
}

function known(secret: Secret | undefined): Secret {
  if (secret !== undefined) return secret;
  throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
}

function knownParameter(name: string, store: SecretsStore): Parameter {
  const parameter = store.parameter(name);
  if (parameter !== undefined) return parameter;
  throw new ServiceError('ParameterNotFound', '');
}

const secretValue = (secret: Secret) => ({
  ARN: secret.arn,
  Name: secret.name,
  VersionId: secret.versionId,
  SecretString: secret.text,
  VersionStages: ['AWSCURRENT'],
  CreatedDate: secret.writtenAt,
});

const parameterValue = ({ name, text, version, writtenAt }: Parameter) => ({
  Parameter: {
    ARN: arn('ssm', `parameter/${name.replace(/^\//, '')}`),
    DataType: 'text',
    LastModifiedDate: writtenAt,
    Name: name,
    Type: 'String',
    Value: text,
    Version: version,
  },
});

async function inputOf(request: IncomingMessage): Promise<Fields> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const input: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  if (isFields(input)) return input;
  throw new ServiceError('SerializationException', 'The body is not a JSON object.');
}
