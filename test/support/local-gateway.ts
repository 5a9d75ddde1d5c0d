import { createPrivateKey } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listIn, membersOfJson, textIn } from '../../functions/shared/domain/unknown.ts';
import { createUser } from '../../infra/cli/accounts.ts';
import type { StackAccess } from '../../infra/cli/stack-access.ts';
import { readAssembly } from '../../infra/local/assembly.ts';
import { startEngine } from '../../infra/local/engine.ts';
import { startGateway } from '../../infra/local/gateway.ts';
import { contractOf } from './contract.ts';
import { needlesIn, secretsIn, type Needle } from './secret-search.ts';
import type { LocalMail } from '../../infra/local/ses-stand-in.ts';
import { arn } from '../../infra/local/intrinsics.ts';
import { isAllowed, partitionKeysOf, statementsByFunction, type Statement } from './iam.ts';
import { startStoreWitness, type Witnessed } from './store-witness.ts';
import { synthesize, type Context } from './template.ts';

/** A password that the policy takes. */
export const PASSWORD = 'correct horse battery staple';

export interface TestGateway {
  readonly url: string;
  /** Every line the functions wrote. */
  readonly logs: readonly string[];
  readonly access: StackAccess;
  /** Where Secrets Manager and the Parameter Store are played. */
  readonly secretsEndpoint: string;
  /** Where KMS is played. */
  readonly kmsEndpoint: string;
  /** An output of the stack. */
  output(name: string): string;
  /** What the functions mailed, oldest first. */
  readonly mails: readonly LocalMail[];
  /** What the functions asked of the store. */
  asked(): Promise<readonly Witnessed[]>;
  /** What the template lets each function's role do, by the function's logical id. */
  readonly rights: ReadonlyMap<string, readonly Statement[]>;
  /** Posts JSON and reads JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<TestAnswer>;
  send(method: string, path: string, body: unknown, headers?: Record<string, string>): Promise<TestAnswer>;
  get(path: string, headers?: Record<string, string>): Promise<TestAnswer>;
  /** Makes an account with {@link PASSWORD}. */
  user(username: string): Promise<void>;
  /** Logs an account in. */
  login(username: string): Promise<{ access: string; refresh: string }>;
  /** What is secret in the secrets as they are now. */
  secrets(): readonly Needle[];
  /** Everything that others can read, by where: bundles and template, log lines, and answers to what was asked here. */
  readable(): Readonly<Record<string, string>>;
  /**
   * @throws {Error} where key material shows in anything that others can read, and where a function asked of the store what
   *   its role may not do; an engine would let it
   */
  close(): Promise<void>;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

/** The engine that this run of the tests is about. */
export const engineKind = () =>
  process.env['LATCHKEY_TEST_ENGINE'] === 'dynamodb-local' ? 'dynamodb-local' : 'dynoxide';

/**
 * The deployed bundles behind the local gateway, on an engine of their own. Every answer is held to the API's description.
 *
 * @param environment values for the functions' environments; bcrypt is cheap unless it says otherwise
 * @param context settings of the deployment
 * @param environmentOf the same as `environment` for one function, by its logical id
 */
export async function aGateway(
  environment: Record<string, string> = {},
  context: Context = {},
  environmentOf: (functionId: string) => Record<string, string> = () => ({}),
): Promise<TestGateway> {
  process.env['BCRYPT_COST'] = '4';
  const all = { env: 'local', 'aws:cdk:enable-asset-metadata': true, ...context };
  const { status, errors, folder } = synthesize(all, true);
  if (status !== 0) throw new Error(errors);
  const engine = await startEngine({ kind: engineKind() });
  const assembly = readAssembly(folder);
  const rights = statementsByFunction(assembly);
  const witness = await startStoreWitness(engine.endpoint, partitionKeysOf(assembly), (table) =>
    arn('dynamodb', `table/${table}`),
  );
  const data = mkdtempSync(join(tmpdir(), 'latchkey-secrets-'));
  const secretsFile = join(data, 'secrets.json');
  const kmsFile = join(data, 'kms.json');
  const lines: string[] = [];
  const answers: string[] = [];
  const gateway = await startGateway({
    assembly: folder,
    engineEndpoint: engine.endpoint,
    secretsFile,
    kmsFile,
    environment: {
      BCRYPT_COST: '4',
      LOGINS_PER_ADDRESS: '1000000',
      REGISTRATIONS_PER_ADDRESS: '1000000',
      ...environment,
    },
    environmentOf: (functionId) => ({
      DYNAMODB_ENDPOINT: witness.endpointFor(functionId),
      ...environmentOf(functionId),
    }),
    onOutput: (_name, line) => void lines.push(line),
    onPlatform: (line) => void lines.push(line),
  });
  const secrets = () => {
    const kept = listIn(membersOfJson(readFileSync(secretsFile, 'utf8')), 'secrets');
    // Where there are keys in KMS, what the stand-in keeps of them is as secret.
    const inKms = existsSync(kmsFile) ? listIn(membersOfJson(readFileSync(kmsFile, 'utf8')), 'keys') : [];
    return needlesIn({
      ...Object.fromEntries(kept.map((one) => [textIn(one, 'name'), textIn(one, 'text')])),
      ...Object.fromEntries(inKms.map((one) => [textIn(one, 'id'), jwkTextOf(textIn(one, 'privateKey'))])),
    });
  };
  const readable = () => ({
    'the cloud assembly': textsBelow(folder),
    logs: lines.join('\n'),
    answers: answers.join('\n'),
  });
  const holdToContract = contractOf();
  const ask = async (path: string, init: RequestInit): Promise<TestAnswer> => {
    const answer = await fetch(gateway.url + path, { redirect: 'manual', ...init });
    const text = await answer.text();
    answers.push(...[...answer.headers].flat(), text);
    holdToContract(init.method ?? 'GET', path, { status: answer.status, headers: answer.headers, text });
    return { status: answer.status, headers: answer.headers, text, body: membersIn(text) };
  };
  const send: TestGateway['send'] = (method, path, body, headers = {}) =>
    ask(path, {
      method,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...headers },
    });
  const post: TestGateway['post'] = (path, body, headers) => send('POST', path, body, headers);
  return {
    url: gateway.url,
    logs: gateway.logs,
    access: gateway.access,
    secretsEndpoint: gateway.secretsEndpoint,
    kmsEndpoint: gateway.kmsEndpoint,
    output: (name) => gateway.output(name),
    mails: gateway.mails,
    send,
    asked: () => witness.seen(),
    rights,
    post,
    get: (path, headers = {}) => ask(path, { headers }),
    user: async (username) => {
      await createUser(gateway.access, { username, password: PASSWORD });
    },
    login: async (username) => {
      const { body, text } = await post('/api/token', { username, password: PASSWORD });
      const { access, refresh } = body;
      if (typeof access !== 'string' || typeof refresh !== 'string') throw new Error(`no tokens: ${text}`);
      return { access, refresh };
    },
    secrets,
    readable,
    close: async () => {
      await gateway.close();
      const asked = await witness.seen();
      await witness.stop();
      await engine.stop();
      const needles = secrets();
      const shown = Object.entries(readable()).flatMap(([where, text]) =>
        secretsIn(text, needles).map((name) => `${name} in ${where}`),
      );
      for (const one of [folder, data]) rmSync(one, { recursive: true, force: true });
      if (needles.length === 0 || shown.length > 0) throw new Error(`Secrets show: ${shown.join(', ')}`);
      const forbidden = asked.filter(({ by, ...one }) => !isAllowed(rights.get(by) ?? [], one));
      if (forbidden.length > 0)
        throw new Error(`Not granted by the template: ${[...new Set(forbidden.map(inWords))].join('; ')}`);
    },
  };
}

/** A private key as the search for secrets reads it. */
const jwkTextOf = (pem: string): string => JSON.stringify(createPrivateKey(pem).export({ format: 'jwk' }));

/** Every file below a folder, one after the other. */
const textsBelow = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
/** One request in words, with a key's prefix in place of the key. */
export const inWords = ({ by, action, resource, leadingKeys = ['no key'] }: Witnessed) =>
  `${by} ${action} on ${resource.replace(/^.*:table\//, '')} of ${leadingKeys.map((key) => key.replace(/#.*$/, '#…')).join(', ')}`;

function membersIn(text: string): Record<string, unknown> {
  if (!text.startsWith('{')) return {};
  const value: unknown = JSON.parse(text);
  return Object.fromEntries(Object.entries(Object(value) as object));
}
