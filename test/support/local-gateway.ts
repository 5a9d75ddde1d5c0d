import { rmSync } from 'node:fs';
import { createUser } from '../../infra/cli/accounts.ts';
import type { StackAccess } from '../../infra/cli/stack-access.ts';
import { readAssembly } from '../../infra/local/assembly.ts';
import { startEngine } from '../../infra/local/engine.ts';
import { startGateway } from '../../infra/local/gateway.ts';
import { arn } from '../../infra/local/intrinsics.ts';
import { isAllowed, partitionKeysOf, statementsByFunction, type Statement } from './iam.ts';
import { startStoreWitness, type Witnessed } from './store-witness.ts';
import { synthesize } from './template.ts';

/** A password that the policy takes. */
export const PASSWORD = 'correct horse battery staple';

export interface TestGateway {
  readonly url: string;
  /** Every line the functions wrote. */
  readonly logs: readonly string[];
  readonly access: StackAccess;
  /** What the functions asked of the store. */
  asked(): Promise<readonly Witnessed[]>;
  /** What the template lets each function's role do, by the function's logical id. */
  readonly rights: ReadonlyMap<string, readonly Statement[]>;
  /** Posts JSON and reads JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<TestAnswer>;
  get(path: string, headers?: Record<string, string>): Promise<TestAnswer>;
  /** Makes an account with {@link PASSWORD}. */
  user(username: string): Promise<void>;
  /** Logs an account in. */
  login(username: string): Promise<{ access: string; refresh: string }>;
  /** @throws {Error} where a function asked of the store what its role may not do; an engine would let it */
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
 * The deployed bundles behind the local gateway, on an engine of their own.
 *
 * @param environment values for the functions' environments; bcrypt is cheap unless it says otherwise
 */
export async function aGateway(environment: Record<string, string> = {}): Promise<TestGateway> {
  process.env['BCRYPT_COST'] = '4';
  const { status, errors, folder } = synthesize({ env: 'local', 'aws:cdk:enable-asset-metadata': true }, true);
  if (status !== 0) throw new Error(errors);
  const engine = await startEngine({ kind: engineKind() });
  const assembly = readAssembly(folder);
  const rights = statementsByFunction(assembly);
  const witness = await startStoreWitness(engine.endpoint, partitionKeysOf(assembly), (table) =>
    arn('dynamodb', `table/${table}`),
  );
  const gateway = await startGateway({
    assembly: folder,
    engineEndpoint: engine.endpoint,
    environment: { BCRYPT_COST: '4', ...environment },
    environmentOf: (functionId) => ({ DYNAMODB_ENDPOINT: witness.endpointFor(functionId) }),
  });
  const ask = async (path: string, init: RequestInit): Promise<TestAnswer> => {
    const answer = await fetch(gateway.url + path, { redirect: 'manual', ...init });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, body: membersIn(text) };
  };
  const post: TestGateway['post'] = (path, body, headers = {}) =>
    ask(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...headers },
    });
  return {
    url: gateway.url,
    logs: gateway.logs,
    access: gateway.access,
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
    close: async () => {
      await gateway.close();
      const asked = await witness.seen();
      await witness.stop();
      await engine.stop();
      rmSync(folder, { recursive: true, force: true });
      const forbidden = asked.filter(({ by, ...one }) => !isAllowed(rights.get(by) ?? [], one));
      if (forbidden.length > 0)
        throw new Error(`Not granted by the template: ${[...new Set(forbidden.map(inWords))].join('; ')}`);
    },
  };
}

/** One request in words, with a key's prefix in place of the key. */
export const inWords = ({ by, action, resource, leadingKeys = ['no key'] }: Witnessed) =>
  `${by} ${action} on ${resource.replace(/^.*:table\//, '')} of ${leadingKeys.map((key) => key.replace(/#.*$/, '#…')).join(', ')}`;

function membersIn(text: string): Record<string, unknown> {
  if (!text.startsWith('{')) return {};
  const value: unknown = JSON.parse(text);
  return Object.fromEntries(Object.entries(Object(value) as object));
}
