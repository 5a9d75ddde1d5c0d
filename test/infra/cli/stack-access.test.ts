import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listen } from '../../../infra/local/listen.ts';
import { startSecretsStandIn, type SecretsStandIn } from '../../../infra/local/secrets-stand-in.ts';
import type { StackAccess } from '../../../infra/cli/stack-access.ts';
import { cloudFormationStandIn } from '../../support/cloudformation.ts';
import { operators, type Operators } from '../../support/operators.ts';

const PASSWORD = 'correct horse battery staple';
const PEPPERS = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:Peppers';

/** The outputs of a stack of ours and of one of somebody else. */
const stacks = ({ usersTable, sessionsTable }: StackAccess): Record<string, Record<string, string>> => ({
  'Latchkey-prod': {
    ApiUrl: 'https://x',
    UsersTable: usersTable,
    SessionsTable: sessionsTable,
    PeppersSecret: PEPPERS,
  },
  Website: { Url: 'https://y' },
});

let office: Operators;
let secrets: SecretsStandIn;
let cloudFormation: { endpoint: string; close: () => Promise<void> };
let env: Record<string, string>;

beforeAll(async () => {
  office = await operators();
  secrets = await startSecretsStandIn();
  cloudFormation = await listen(
    cloudFormationStandIn((name) => stacks(office.access)[name]),
    { host: '127.0.0.1', port: 0 },
  );
  env = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: office.access.dynamoDbEndpoint!,
    // Nothing of the local store may be used.
    LATCHKEY_DATA: '/nowhere',
    DYNAMODB_ENDPOINT: 'http://127.0.0.1:9',
  };
});
afterAll(async () => {
  await cloudFormation.close();
  await secrets.close();
  await office.close();
});

const create = (stack: string, more: Record<string, string> = {}) =>
  office.run(['create', 'remote', '--stack', stack], { input: PASSWORD, env: { ...env, ...more } });

test('a stack whose pepper is not made yet is refused', async () => {
  secrets.store.declareSecret(PEPPERS, 'Peppers', 'what CloudFormation put there');
  expect(await create('Latchkey-prod')).toEqual({
    code: 1,
    out: '',
    err: 'The stack has no pepper yet. Has its deployment finished?\n',
  });
  expect((await office.stored()).logins.size).toBe(0);
});

test('--stack works on the tables and with the pepper that the stack names', async () => {
  secrets.store.putSecret(secrets.store.secret(PEPPERS)!, await office.access.peppersSecret());
  expect(await create('Latchkey-prod')).toMatchObject({ code: 0, err: '' });
  expect(await office.fits('remote', PASSWORD)).toBe(true);
  const { out } = await office.run(['list', '--stack=Latchkey-prod'], { env });
  expect(out).toContain('remote ');
});

test.each([
  ['Latchkey-test', 'CloudFormation finds no stack "Latchkey-test" in us-east-1: '],
  ['Website', 'The stack "Website" has no output '],
])('%s is refused in one line', async (name, words) => {
  const { code, out, err } = await create(name);
  expect({ code, out, lines: err.split('\n').length }).toEqual({ code: 1, out: '', lines: 2 });
  expect(err).toContain(words);
});

test('an account that cannot be reached is one line', async () => {
  const { code, err } = await create('Latchkey-prod', { AWS_ENDPOINT_URL_CLOUDFORMATION: 'http://127.0.0.1:9' });
  expect({ code, lines: err.split('\n').length }).toEqual({ code: 1, lines: 2 });
  expect(err).toMatch(/^That did not work: .*ECONNREFUSED/);
});
