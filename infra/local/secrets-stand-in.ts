/**
 * Stands in for Secrets Manager and Systems Manager (the operations our functions use, AWS JSON 1.1) and for the
 * Parameters and Secrets extension's two GETs, on one loopback port.
 */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, createServer } from 'node:http';
import { type Fields, isFields, listOf, textOf } from './fields.ts';
import { arn } from './intrinsics.ts';
import { SESSION_TOKEN } from './lambda.ts';
import { listen } from './listen.ts';
import {
  CURRENT,
  type Parameter,
  type Secret,
  type SecretsStore,
  type Version,
  secretsStore,
} from './secrets-store.ts';

const PENDING = 'AWSPENDING';

/** What Secrets Manager calls to rotate a secret, in this order. */
const ROTATION_STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/** Calls the function that rotates a secret. @returns false where it failed */
export type Rotate = (event: {
  readonly Step: (typeof ROTATION_STEPS)[number];
  readonly SecretId: string;
  readonly ClientRequestToken: string;
}) => Promise<boolean>;

export interface SecretsStandIn {
  readonly endpoint: string;
  readonly store: SecretsStore;
  /** Says which function rotates a secret; RotateSecret calls it, and there is no schedule. */
  rotateWith(arn: string, rotate: Rotate): void;
  close(): Promise<void>;
}

/** What an operation works on. */
interface Service {
  readonly store: SecretsStore;
  readonly rotations: ReadonlyMap<string, Rotate>;
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
  const rotations = new Map<string, Rotate>();
  const server = createServer((request, response) => {
    void answer(request, { store, rotations }).then(({ status, body }) => {
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
  });
  const { endpoint, close } = await listen(server, { host: '127.0.0.1', port: 0 });
  return { endpoint, store, rotateWith: (arn, rotate) => void rotations.set(arn, rotate), close };
}

async function answer(request: IncomingMessage, service: Service): Promise<{ status: number; body: object }> {
  try {
    if (request.method === 'GET') return extension(request, service.store);
    const target = request.headers['x-amz-target'];
    const operation = OPERATIONS[typeof target === 'string' ? target : ''];
    if (operation === undefined) {
      throw new ServiceError('UnknownOperationException', `The local stand-in does not know ${String(target)}.`);
    }
    return { status: 200, body: await operation(await inputOf(request), service) };
  } catch (error) {
    const type = error instanceof ServiceError ? error.type : 'ValidationException';
    return { status: 400, body: { __type: type, message: error instanceof Error ? error.message : '' } };
  }
}

const OPERATIONS: Readonly<Record<string, (input: Fields, service: Service) => object | Promise<object>>> = {
  'secretsmanager.GetSecretValue': ({ SecretId, VersionId, VersionStage }, { store }) => {
    const secret = known(store.secret(textOf(SecretId, 'SecretId')));
    const label = VersionStage ?? (VersionId === undefined ? CURRENT : undefined);
    const version = secret.versions.find(
      ({ id, labels }) =>
        (VersionId === undefined || id === VersionId) &&
        (label === undefined || labels.includes(textOf(label, 'VersionStage'))),
    );
    if (version?.text === undefined) throw new ServiceError('ResourceNotFoundException', 'There is no such version.');
    return secretValue(secret, version);
  },
  'secretsmanager.DescribeSecret': ({ SecretId }, { store, rotations }) => {
    const { arn: ARN, name, versions } = known(store.secret(textOf(SecretId, 'SecretId')));
    const labelled = versions.filter(({ labels }) => labels.length > 0);
    return {
      ARN,
      Name: name,
      RotationEnabled: rotations.has(ARN),
      VersionIdsToStages: Object.fromEntries(labelled.map(({ id, labels }) => [id, labels])),
    };
  },
  'secretsmanager.PutSecretValue': ({ SecretId, SecretString, ClientRequestToken, VersionStages }, { store }) => {
    const secret = known(store.secret(textOf(SecretId, 'SecretId')));
    const text = textOf(SecretString, 'SecretString');
    const id = ClientRequestToken === undefined ? randomUUID() : textOf(ClientRequestToken, 'ClientRequestToken');
    const labels = listOf(VersionStages ?? [CURRENT], 'VersionStages').map((label) => textOf(label, 'VersionStages'));
    const there = secret.versions.find((version) => version.id === id);
    if (there?.text !== undefined && there.text !== text) {
      throw new ServiceError('ResourceExistsException', 'The version has another value.');
    }
    if (there?.text === undefined) {
      const others = labels.filter((label) => label !== CURRENT);
      const put = store.putVersion(secret, { id, text, labels: others });
      if (others.length < labels.length) store.moveLabel(put, CURRENT, id);
    }
    return { ARN: secret.arn, Name: secret.name, VersionId: id, VersionStages: labels };
  },
  'secretsmanager.UpdateSecretVersionStage': (input, { store }) => {
    const secret = known(store.secret(textOf(input['SecretId'], 'SecretId')));
    const label = textOf(input['VersionStage'], 'VersionStage');
    const holder = secret.versions.find(({ labels }) => labels.includes(label))?.id;
    const { MoveToVersionId: to, RemoveFromVersionId: from } = input;
    const isThere = to === undefined || secret.versions.some(({ id }) => id === to);
    // Nothing takes a label from a version without naming that one.
    if (!isThere || holder !== from) {
      throw new ServiceError('InvalidParameterException', `The label ${label} is not attached to that version.`);
    }
    store.moveLabel(secret, label, to === undefined ? undefined : textOf(to, 'MoveToVersionId'));
    return { ARN: secret.arn, Name: secret.name };
  },
  'secretsmanager.RotateSecret': async ({ SecretId, ClientRequestToken }, { store, rotations }) => {
    const secret = known(store.secret(textOf(SecretId, 'SecretId')));
    const rotate = rotations.get(secret.arn);
    if (rotate === undefined) {
      throw new ServiceError('InvalidRequestException', 'No function rotates this secret: is `npm start` running?');
    }
    // One that was not finished goes on; on AWS it is tried again by itself.
    const unfinished = secret.versions.find(({ labels }) => labels.includes(PENDING) && !labels.includes(CURRENT))?.id;
    const id =
      unfinished ??
      (ClientRequestToken === undefined ? randomUUID() : textOf(ClientRequestToken, 'ClientRequestToken'));
    if (unfinished === undefined) store.putVersion(secret, { id, labels: [PENDING] });
    for (const Step of ROTATION_STEPS) {
      // Here the answer waits for the end; on AWS it does not, and the log alone says how it went.
      if (!(await rotate({ Step, SecretId: secret.arn, ClientRequestToken: id }))) {
        throw new ServiceError('InvalidRequestException', `The step ${Step} failed; see the log of its function.`);
      }
    }
    return { ARN: secret.arn, Name: secret.name, VersionId: id };
  },
  'AmazonSSM.GetParameter': ({ Name }, { store }) => parameterValue(knownParameter(textOf(Name, 'Name'), store)),
  'AmazonSSM.PutParameter': ({ Name, Value, Overwrite }, { store }) => {
    const name = textOf(Name, 'Name');
    if (Overwrite !== true && store.parameter(name) !== undefined) {
      throw new ServiceError('ParameterAlreadyExists', 'The parameter already exists.');
    }
    return { Version: store.putParameter(name, textOf(Value, 'Value')).version, Tier: 'Standard' };
  },
};

function extension(request: IncomingMessage, store: SecretsStore): { status: number; body: object } {
  if (request.headers['x-aws-parameters-secrets-token'] !== SESSION_TOKEN) {
    return { status: 401, body: { message: 'X-Aws-Parameters-Secrets-Token is not the session token.' } };
  }
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  switch (pathname) {
    case '/secretsmanager/get':
      return { status: 200, body: currentValue(known(store.secret(searchParams.get('secretId') ?? ''))) };
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

const secretValue = ({ arn: ARN, name }: Secret, { id, text, labels, writtenAt }: Version) => ({
  ARN,
  Name: name,
  VersionId: id,
  SecretString: text,
  VersionStages: labels,
  CreatedDate: writtenAt,
});

const currentValue = (secret: Secret) =>
  secretValue(secret, { id: secret.versionId, text: secret.text, labels: [CURRENT], writtenAt: secret.writtenAt });

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
