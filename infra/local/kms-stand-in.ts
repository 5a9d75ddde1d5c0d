/**
 * Stands in for AWS KMS (the operations our functions use, AWS JSON 1.1) on a loopback port, with real keys. As in KMS no
 * operation gives a private key away; unlike there, it lies in a file of its owner's.
 */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  privateEncrypt,
  randomUUID,
  sign,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, createServer } from 'node:http';
import { p256 } from '@noble/curves/nist.js';
import { type Fields, fieldsOf, isFields, jsonOf, listOf, numberOf, textOf, textsOf } from './fields.ts';
import { arn } from './intrinsics.ts';
import { listen } from './listen.ts';
import { writePrivately } from './private-file.ts';

/** What each kind of key signs with, and how many bytes its digest has; without, it takes messages only. */
const SPECS: Readonly<
  Record<string, { readonly algorithm: string; readonly digest?: number; readonly make: () => string }>
> = {
  ECC_NIST_P256: {
    algorithm: 'ECDSA_SHA_256',
    digest: 32,
    make: () => pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
  },
  ECC_NIST_EDWARDS25519: {
    algorithm: 'ED25519_SHA_512',
    make: () => pemOf(generateKeyPairSync('ed25519').privateKey),
  },
  RSA_3072: {
    algorithm: 'RSASSA_PKCS1_V1_5_SHA_256',
    digest: 32,
    make: () => pemOf(generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey),
  },
};

const pemOf = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }): string =>
  String(key.export({ type: 'pkcs8', format: 'pem' }));

/** The longest message that KMS signs as it is. */
const MESSAGE_BYTES = 4_096;

/** One key, as it is kept. */
export interface LocalKmsKey {
  readonly id: string;
  readonly spec: string;
  readonly state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  readonly tags: Readonly<Record<string, string>>;
  /** Unix seconds. */
  readonly madeAt: number;
  readonly privateKey: string;
}

export interface KmsStandIn {
  readonly endpoint: string;
  /** Every key there ever was, the oldest first. */
  keys(): readonly LocalKmsKey[];
  /** What somebody with other rights does to a key. */
  setState(id: string, state: LocalKmsKey['state']): void;
  close(): Promise<void>;
}

class ServiceError extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/**
 * @param file where keys are kept between runs; without it, in memory
 * @param pageSize keys in a page of a list; those of KMS have 100
 */
export async function startKmsStandIn(file?: string, pageSize = 100): Promise<KmsStandIn> {
  const keys = new Map(file === undefined ? [] : read(file).map((key) => [key.id, key]));
  const keep = (key: LocalKmsKey): LocalKmsKey => {
    keys.set(key.id, key);
    if (file !== undefined) writePrivately(file, `${JSON.stringify({ keys: [...keys.values()] }, null, 2)}\n`);
    return key;
  };
  const server = createServer((request, response) => {
    void answer(request, { keys, keep, pageSize }).then(({ status, body }) => {
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
  });
  const { endpoint, close } = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    endpoint,
    keys: () => [...keys.values()],
    setState: (id, state) => void keep({ ...known(id, keys), state }),
    close,
  };
}

interface Kept {
  readonly keys: ReadonlyMap<string, LocalKmsKey>;
  readonly keep: (key: LocalKmsKey) => LocalKmsKey;
  readonly pageSize: number;
}

async function answer(request: IncomingMessage, kept: Kept): Promise<{ status: number; body: object }> {
  try {
    const target = String(request.headers['x-amz-target']);
    const operation = OPERATIONS[target];
    if (operation === undefined) {
      throw new ServiceError('UnknownOperationException', `The local stand-in does not know ${target}.`);
    }
    return { status: 200, body: operation(await inputOf(request), kept) };
  } catch (error) {
    const type = error instanceof ServiceError ? error.type : 'ValidationException';
    return { status: 400, body: { __type: type, message: error instanceof Error ? error.message : '' } };
  }
}

const OPERATIONS: Readonly<Record<string, (input: Fields, kept: Kept) => object>> = {
  'TrentService.CreateKey': ({ KeySpec, KeyUsage, Tags }, { keep }) => {
    const spec = textOf(KeySpec, 'KeySpec');
    const kind = SPECS[spec];
    if (kind === undefined || KeyUsage !== 'SIGN_VERIFY') {
      throw new ServiceError('UnsupportedOperationException', `The local stand-in makes no ${spec} for that usage.`);
    }
    const tags = listOf(Tags, 'Tags').map((tag): [string, string] => {
      const { TagKey, TagValue } = fieldsOf(tag, 'Tags');
      return [textOf(TagKey, 'TagKey'), textOf(TagValue, 'TagValue')];
    });
    const made: LocalKmsKey = {
      id: randomUUID(),
      spec,
      state: 'Enabled',
      tags: Object.fromEntries(tags),
      madeAt: Math.floor(Date.now() / 1000),
      privateKey: kind.make(),
    };
    return { KeyMetadata: metadataOf(keep(made)) };
  },
  'TrentService.DescribeKey': ({ KeyId }, { keys }) => ({ KeyMetadata: metadataOf(known(KeyId, keys)) }),
  'TrentService.GetPublicKey': ({ KeyId }, { keys }) => {
    const key = usable(known(KeyId, keys));
    const publicKey = createPublicKey(key.privateKey).export({ type: 'spki', format: 'der' });
    return { KeyId: arnOf(key), KeySpec: key.spec, KeyUsage: 'SIGN_VERIFY', PublicKey: publicKey.toString('base64') };
  },
  'TrentService.ListKeys': ({ Marker }, { keys, pageSize }) => {
    const from = Marker === undefined ? 0 : numberOf(Marker, 'Marker');
    const until = from + pageSize;
    const some = [...keys.values()].slice(from, until).map((key) => ({ KeyId: key.id, KeyArn: arnOf(key) }));
    const isMore = until < keys.size;
    return { Keys: some, Truncated: isMore, ...(isMore && { NextMarker: String(until) }) };
  },
  'TrentService.ListResourceTags': ({ KeyId }, { keys }) => ({
    Tags: Object.entries(known(KeyId, keys).tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
    Truncated: false,
  }),
  'TrentService.ScheduleKeyDeletion': ({ KeyId, PendingWindowInDays }, { keys, keep }) => {
    const days = numberOf(PendingWindowInDays, 'PendingWindowInDays');
    if (!(days >= 7 && days <= 30)) throw new ServiceError('ValidationException', 'A key stays for 7 to 30 days.');
    const key = known(KeyId, keys);
    if (key.state === 'PendingDeletion') throw invalidState(key);
    keep({ ...key, state: 'PendingDeletion' });
    return { KeyId: arnOf(key), KeyState: 'PendingDeletion', PendingWindowInDays: days };
  },
  'TrentService.Sign': ({ KeyId, SigningAlgorithm, MessageType, Message }, { keys }) => {
    const key = usable(known(KeyId, keys));
    const kind = SPECS[key.spec];
    if (kind === undefined || SigningAlgorithm !== kind.algorithm) {
      throw new ServiceError('InvalidKeyUsageException', `A key of ${key.spec} does not sign with that algorithm.`);
    }
    const message = Buffer.from(textOf(Message, 'Message'), 'base64');
    const isDigest = MessageType === 'DIGEST';
    if (isDigest && message.length !== kind.digest) {
      throw new ServiceError('ValidationException', `Digest is invalid length for algorithm ${kind.algorithm}.`);
    }
    if (message.length > MESSAGE_BYTES) throw new ServiceError('ValidationException', 'The message is too long.');
    const signature = isDigest ? signedDigest(message, key) : signedMessage(message, key);
    return { KeyId: arnOf(key), Signature: Buffer.from(signature).toString('base64'), SigningAlgorithm };
  },
};

function signedMessage(message: Buffer, { spec, privateKey }: LocalKmsKey): Uint8Array {
  return sign(spec === 'ECC_NIST_EDWARDS25519' ? null : 'sha256', message, privateKey);
}

/** The head of a SHA-256 digest in PKCS #1 v1.5 (RFC 8017 section 9.2, note 1). */
const SHA256_HEAD = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** Node signs messages only. */
function signedDigest(digest: Buffer, { spec, privateKey }: LocalKmsKey): Uint8Array {
  if (spec === 'RSA_3072') {
    const padding = constants.RSA_PKCS1_PADDING;
    return privateEncrypt({ key: privateKey, padding }, Buffer.concat([SHA256_HEAD, digest]));
  }
  const { d = '' } = createPrivateKey(privateKey).export({ format: 'jwk' });
  const key = Buffer.from(d, 'base64url');
  return p256.sign(digest, key, { prehash: false, lowS: false, extraEntropy: true, format: 'der' });
}

const arnOf = ({ id }: LocalKmsKey): string => arn('kms', `key/${id}`);

const metadataOf = (key: LocalKmsKey) => ({
  KeyId: key.id,
  Arn: arnOf(key),
  CreationDate: key.madeAt,
  Enabled: key.state === 'Enabled',
  KeyState: key.state,
  KeySpec: key.spec,
  KeyUsage: 'SIGN_VERIFY',
});

/** @param name a key's id or ARN */
function known(name: unknown, keys: ReadonlyMap<string, LocalKmsKey>): LocalKmsKey {
  const key = keys.get(textOf(name, 'KeyId').replace(/^.*:key\//, ''));
  if (key === undefined) throw new ServiceError('NotFoundException', 'There is no such key.');
  return key;
}

function usable(key: LocalKmsKey): LocalKmsKey {
  if (key.state === 'Disabled') throw new ServiceError('DisabledException', 'The key is disabled.');
  if (key.state === 'PendingDeletion') throw invalidState(key);
  return key;
}

const invalidState = (key: LocalKmsKey) =>
  new ServiceError('KMSInvalidStateException', `${arnOf(key)} is pending deletion.`);

function read(file: string): readonly LocalKmsKey[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return listOf(fieldsOf(jsonOf(text, file), file)['keys'], file).map((row) => {
    const { id, spec, state, tags, madeAt, privateKey } = fieldsOf(row, file);
    const known = (['Enabled', 'Disabled', 'PendingDeletion'] as const).find((one) => one === state);
    return {
      id: textOf(id, file),
      spec: textOf(spec, file),
      state: known ?? 'Disabled',
      tags: textsOf(tags, file),
      madeAt: numberOf(madeAt, file),
      privateKey: textOf(privateKey, file),
    };
  });
}

async function inputOf(request: IncomingMessage): Promise<Fields> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const input: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  if (isFields(input)) return input;
  throw new ServiceError('SerializationException', 'The body is not a JSON object.');
}
