import { afterAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listOf, membersOf, templateFor } from '../support/template.ts';

const dev = templateFor();
const prod = templateFor({ env: 'prod' });
const local = templateFor({ env: 'local' });
const environments = [dev, templateFor({ env: 'staging' }), prod, local];

/** Everything set otherwise than by default. */
const custom = templateFor({
  loginMemory: '2048',
  functionMemory: '256',
  logRetentionDays: '365',
  signingAlgorithm: 'RS256',
  issuer: 'https://id.example.com/auth',
  audience: 'https://api.example.com',
  accessTokenLifetime: '300',
  bcryptCost: '12',
  mailFrom: 'auth@example.com',
  resetLink: 'https://app.example.com/reset?token={token}',
});

const scratch = mkdtempSync(join(tmpdir(), 'latchkey-template-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const FUNCTIONS = dev.ofType('AWS::Lambda::Function').map(({ path }) => path);
const KEPT = ['Users', 'Sessions', 'SigningKeys', 'RefreshSecrets', 'Peppers', 'PublicKeys'];

test('every function runs Node 24 on arm64 and logs JSON to a log group of its own', () => {
  expect(FUNCTIONS).toEqual(expect.arrayContaining(['Login', 'Authorizer', 'Fallback', 'MakeKeys']));
  for (const fn of FUNCTIONS) {
    expect(dev.at(fn)).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      LoggingConfig: { LogFormat: 'JSON', LogGroup: `\${${fn}Logs}` },
      MemorySize: ['Login', 'Password', 'Register', 'Account'].includes(fn) ? 1769 : 512,
      Timeout: { Authorizer: 5, MakeKeys: 60, RotateKeys: 60 }[fn] ?? 10,
    });
  }
});

test('in env=local, where services have four times as long for an answer, functions can wait for it', () => {
  for (const fn of FUNCTIONS) {
    expect([fn, local.at(fn)['Timeout']]).toEqual([fn, { Authorizer: 20, MakeKeys: 60, RotateKeys: 60 }[fn] ?? 29]);
  }
});

test('memory and retention are settings', () => {
  expect(custom.at('Login')['MemorySize']).toBe(2048);
  expect(custom.at('Refresh')['MemorySize']).toBe(256);
  expect(custom.at('RefreshLogs')['RetentionInDays']).toBe(365);
});

test('logs are kept for a week in dev, 90 days in prod, and never for ever', () => {
  const retention = (template: typeof dev) =>
    new Set(template.ofType('AWS::Logs::LogGroup').map(({ properties }) => properties['RetentionInDays']));
  expect(retention(dev)).toEqual(new Set([7]));
  expect(retention(prod)).toEqual(new Set([90]));
});

test('the tables have the keys of the schema, take what comes, and forget what has ended', () => {
  expect(dev.at('Users')).toMatchObject({
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
  });
  expect(dev.at('Sessions')).toMatchObject({
    KeySchema: [
      { AttributeName: 'userId', KeyType: 'HASH' },
      { AttributeName: 'sessionId', KeyType: 'RANGE' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
  });
  for (const table of ['Users', 'Sessions']) {
    expect(dev.at(table)).not.toHaveProperty('GlobalSecondaryIndexes');
    // Encrypted at rest by DynamoDB's own key, as every table without a specification is: this could only weaken it.
    expect(dev.at(table)).not.toHaveProperty('SSESpecification');
  }
});

test.each([
  ['dev', dev, false],
  ['prod', prod, true],
] as const)('%s protects its data or is made to be thrown away', (_name, template, isKept) => {
  for (const table of ['Users', 'Sessions']) {
    expect(listOf(template.at(table)['Replicas'])).toEqual([
      {
        Region: '${AWS::Region}',
        DeletionProtectionEnabled: isKept,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: isKept },
      },
    ]);
  }
  const kept = template.resources
    .filter(({ deletionPolicy }) => String(deletionPolicy).startsWith('Retain'))
    .map(({ path }) => path);
  const logs = [...template.ofType('AWS::Lambda::Function').map(({ path }) => `${path}Logs`), 'AccessLogs'];
  // One setting of the account names the role, whichever stack made it.
  const ofAccount = ['ApiLogRole', 'ApiAccount'];
  expect(kept.toSorted()).toEqual(isKept ? [...KEPT, ...logs, ...ofAccount].toSorted() : []);
});

test('a first deployment that fails leaves neither secrets nor logs behind', () => {
  const policies = (...types: string[]) =>
    new Set(types.flatMap((type) => prod.ofType(type).map(({ deletionPolicy }) => deletionPolicy)));
  expect([...policies('AWS::SecretsManager::Secret', 'AWS::SSM::Parameter', 'AWS::Logs::LogGroup')]).toEqual([
    'RetainExceptOnCreate',
  ]);
  // DynamoDB refuses to delete what it protects, and CloudFormation would be left in the middle of its way back.
  expect([...policies('AWS::DynamoDB::GlobalTable')]).toEqual(['Retain']);
});

test('nothing in a template change can put new values where keys are', () => {
  for (const template of environments) {
    // CloudFormation writes a secret again when its generator changes, and a parameter when anything of it does.
    for (const secret of ['SigningKeys', 'RefreshSecrets', 'Peppers']) {
      expect(template.at(secret)).toEqual({ GenerateSecretString: {} });
    }
    expect(template.at('PublicKeys')).toEqual({ Type: 'String', Value: 'not made yet' });
  }
});

test('what holds data has the same logical id in every environment and release', () => {
  for (const template of environments) {
    const ids = Object.fromEntries(template.resources.map(({ path, logicalId }) => [path, logicalId]));
    expect(ids).toMatchObject({
      Users: 'Users0A0EEA89',
      Sessions: 'Sessions8896A56D',
      SigningKeys: 'SigningKeysA56F0358',
      RefreshSecrets: 'RefreshSecretsB1B94ACC',
      Peppers: 'Peppers166B5FE0',
      PublicKeys: 'PublicKeys430E2E06',
      // Another API would be another issuer: every token would end.
      Api: 'ApiF70053CD',
      Keys: 'Keys',
    });
    // Subscriptions made by hand hang on the topic.
    if (template === prod) expect(ids).toMatchObject({ Alarms: 'Alarms04B5A0BF', AccessLogs: 'AccessLogs8B620ECA' });
  }
});

test('in dev nothing watches or guards that costs something at rest', () => {
  for (const service of ['WAFv2', 'CloudWatch', 'SNS', 'Logs::MetricFilter', 'ApiGateway::Account']) {
    expect(dev.resources.filter(({ type }) => type.startsWith(`AWS::${service}`))).toEqual([]);
  }
  const [stage] = dev.ofType('AWS::ApiGateway::Stage');
  expect(stage!.properties).not.toHaveProperty('AccessLogSetting');
  expect(stage!.properties).not.toHaveProperty('TracingEnabled');
  expect(dev.at('Api')).not.toHaveProperty('DisableExecuteApiEndpoint');
  for (const { properties } of dev.ofType('AWS::Lambda::Function')) {
    expect(properties).not.toHaveProperty('TracingConfig');
    expect(properties).not.toHaveProperty('ReservedConcurrentExecutions');
  }
});

test("access logs have the account's role before the stage needs it", () => {
  expect(prod.at('ApiAccount')).toEqual({ CloudWatchRoleArn: '${ApiLogRole.Arn}' });
  expect(prod.ofType('AWS::ApiGateway::Stage')[0]!.dependsOn).toEqual(['ApiAccount']);
});

test('the first keys are made at deploy time, when the function may write them', () => {
  const keys = dev.resources.filter(({ type }) => type.startsWith('Custom::'));
  expect(keys).toMatchObject([
    {
      path: 'Keys',
      properties: { ServiceToken: '${MakeKeys.Arn}', ServiceTimeout: '300', Algorithm: 'ES256' },
      dependsOn: expect.arrayContaining(['MakeKeysRole/DefaultPolicy']),
    },
  ]);
  expect(custom.at('Keys')['Algorithm']).toBe('RS256');
});

test('whatever changes the parameter of the public keys has them published again', () => {
  // CloudFormation writes "not made yet" into it then.
  const tagged = dev.at('PublicKeys')['Tags'] ?? {};
  expect(dev.at('Keys')['PublicKeys']).toBe(
    JSON.stringify(['not made yet', { application: 'latchkey', environment: 'dev', ...membersOf(tagged) }]),
  );
  expect(dev.resources.find(({ path }) => path === 'Keys')?.dependsOn).toContain('PublicKeys');
});

test('keys rotate every 30 days, peppers when an operator says so, and nothing rotates because of a deployment', () => {
  const days = (template: typeof dev) =>
    template.ofType('AWS::SecretsManager::RotationSchedule').map(({ properties }) => {
      expect(properties).toMatchObject({ RotationLambdaARN: '${RotateKeys.Arn}', RotateImmediatelyOnUpdate: false });
      const { ScheduleExpression: expression } = membersOf(properties['RotationRules'] ?? {});
      return [properties['SecretId'], expression];
    });
  for (const template of environments) {
    expect(days(template)).toEqual([
      ['${SigningKeys}', 'rate(30 days)'],
      ['${RefreshSecrets}', 'rate(30 days)'],
      ['${Peppers}', undefined],
    ]);
  }
  expect(days(templateFor({ keyRotationDays: '7', pepperRotationDays: '365' }))).toEqual([
    ['${SigningKeys}', 'rate(7 days)'],
    ['${RefreshSecrets}', 'rate(7 days)'],
    ['${Peppers}', 'rate(365 days)'],
  ]);
});

test('a schedule is made when the function may be called, may do its work, and finds keys', () => {
  for (const { path, dependsOn } of dev.ofType('AWS::SecretsManager::RotationSchedule')) {
    const permission = `RotateKeys/Rotate${path.replace('Rotation', '')}`;
    expect(dependsOn).toEqual(expect.arrayContaining([permission, 'RotateKeysRole/DefaultPolicy', 'Keys']));
  }
});

test('the extension goes with the functions that read a secret or the public keys, and with no other', () => {
  const withLayer = (template: typeof dev) =>
    template.ofType('AWS::Lambda::Function').filter(({ properties }) => properties['Layers'] !== undefined);
  const fns = withLayer(prod);
  expect(fns.map(({ path }) => path).toSorted()).toEqual([
    'Account',
    'Blacklist',
    'Jwks',
    'Login',
    'Password',
    'Refresh',
    'Verify',
  ]);
  for (const { properties } of fns) {
    expect(listOf(properties['Layers'])).toHaveLength(1);
    expect(JSON.stringify(properties['Layers'])).toMatch(/paramsandsecrets.*arm64/i);
    // A function that looks for a key which others made a moment ago must not be answered from memory.
    expect(membersOf(membersOf(properties['Environment'])['Variables'])).toMatchObject({
      SECRETS_MANAGER_TTL: '0',
      SSM_PARAMETER_STORE_TTL: '0',
      KEY_REFRESH_SECONDS: '300',
      KEY_MAX_STALE_SECONDS: '86400',
    });
  }
  // A run without AWS could not fetch it.
  expect(withLayer(local)).toEqual([]);
});

test('the issuer is the URL of the API without a reference to its stage, or the one that is set', () => {
  const url = 'https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1';
  const issuers = (template: typeof dev) =>
    template.ofType('AWS::Lambda::Function').flatMap(({ path }) => {
      const { ISSUER } = variablesOf(template, path);
      return ISSUER === undefined ? [] : [ISSUER];
    });
  expect(new Set(issuers(dev))).toEqual(new Set([url]));
  expect(new Set(issuers(custom))).toEqual(new Set(['https://id.example.com/auth']));
  expect(issuers(custom)).toHaveLength(issuers(dev).length);
  expect(custom.outputs).toMatchObject({ ApiUrl: { Value: url }, Issuer: { Value: 'https://id.example.com/auth' } });
});

test('outputs name what a caller and an operator need', () => {
  const values = Object.entries(prod.outputs).map(([name, output]) => [name, membersOf(output)['Value']]);
  expect(Object.fromEntries(values)).toEqual({
    ApiUrl: 'https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1',
    Issuer: 'https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1',
    UsersTable: '${Users}',
    SessionsTable: '${Sessions}',
    PeppersSecret: '${Peppers}',
    SigningKeysSecret: '${SigningKeys}',
    RefreshSecretsSecret: '${RefreshSecrets}',
    PublicKeysParameter: '${PublicKeys}',
    AlarmTopic: '${Alarms}',
  });
});

test('settings reach the functions that read them', () => {
  expect(variablesOf(custom, 'Login')).toMatchObject({
    ACCESS_TOKEN_LIFETIME_SECONDS: '300',
    BCRYPT_COST: '12',
    AUDIENCE: 'https://api.example.com',
  });
  expect(variablesOf(custom, 'ResetPassword')).toMatchObject({
    MAIL_FROM: 'auth@example.com',
    RESET_LINK: 'https://app.example.com/reset?token={token}',
    RESET_ANSWER_MILLISECONDS: '2000',
  });
  expect(variablesOf(dev, 'Account')).toMatchObject({ MAIL_FROM: 'none', VERIFY_LINK: 'none' });
  expect(variablesOf(local, 'ResetPassword')).toMatchObject({ SES_ENDPOINT: 'http://127.0.0.1:9', PATIENCE: '4' });
  expect(variablesOf(local, 'Authorizer')).toMatchObject({ JWKS_URL: 'http://127.0.0.1:9', PATIENCE: '4' });
  for (const deployed of [dev, custom, prod]) {
    expect(Object.keys(variablesOf(deployed, 'Login'))).not.toContainEqual(expect.stringMatching(/ENDPOINT|PATIENCE/));
  }
  expect(variablesOf(custom, 'Authorizer')).toMatchObject({ ACCESS_TOKEN_LIFETIME_SECONDS: '300' });
});

test('a fixed name says the environment, so that two fit into one account', () => {
  const named = prod.resources
    // Names within something that is itself the environment's.
    .filter(
      ({ type }) => !['AWS::IAM::Policy', 'AWS::ApiGateway::Authorizer', 'AWS::Logs::MetricFilter'].includes(type),
    )
    .flatMap(({ path, properties }) =>
      Object.entries(properties)
        // A metric is named within its namespace.
        .filter(([name]) => name.endsWith('Name') && name !== 'MetricName')
        .filter(([, value]) => !String(value).startsWith('${'))
        .map(([name, value]) => [`${path} ${name}`, String(value)] as const),
    );
  const others = named.filter(([, value]) => !/(^|[-/])prod($|-)/i.test(value)).map(([name]) => name);
  expect(others).toEqual(['Api/DeploymentStage.v1 StageName']);
  expect(prod.at('Api')).toMatchObject({ Name: 'latchkey-prod' });
  expect(prod.resources.filter(({ properties }) => 'Name' in properties).map(({ path }) => path)).toEqual([
    'Api',
    'AccessToken',
  ]);
});

test('every resource is tagged with what it belongs to', () => {
  expect(prod.tags).toEqual({ application: 'latchkey', environment: 'prod' });
  expect(dev.tags).toEqual({ application: 'latchkey', environment: 'dev' });
});

const hasLinter = spawnSync('cfn-lint', ['--version']).status === 0;
if (!hasLinter) process.stderr.write('cfn-lint is not installed: the templates are not linted.\n');
(hasLinter ? test : test.skip)('cfn-lint finds nothing', () => {
  // The two that differ most: what is kept, the layer, the declared endpoints.
  const files = [prod, local, custom].map(({ text }, index) => {
    const file = join(scratch, `${index}.template.json`);
    writeFileSync(file, text);
    return file;
  });
  // W3005: CDK writes dependencies out that a reference implies.
  const { stdout, stderr, status } = spawnSync('cfn-lint', ['-i', 'W3005', '-t', ...files], { encoding: 'utf8' });
  expect(`${stdout}${stderr}`).toBe('');
  expect(status).toBe(0);
});

function variablesOf(template: typeof dev, fn: string): Readonly<Record<string, unknown>> {
  return membersOf(membersOf(template.at(fn)['Environment'])['Variables']);
}
