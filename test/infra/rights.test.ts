import { describe, expect, test } from '@jest/globals';
import { RING_TAG } from '../../functions/shared/domain/kms-mark.ts';
import { listOf, membersOf, templateFor, type Resource } from '../support/template.ts';

const template = templateFor({ env: 'prod', docs: 'on', mailFrom: 'auth@example.com' });

const ROLES = [
  'AccountRole',
  'AuthorizerRole',
  'BlacklistRole',
  'ConfirmResetRole',
  'DevicesRole',
  'DocsRole',
  'FallbackRole',
  'JwksRole',
  'LoginRole',
  'MakeKeysRole',
  'OpenapiRole',
  'PasswordRole',
  'ProfileRole',
  'RefreshRole',
  'ResetPasswordRole',
  'RotateKeysRole',
  'VerifyEmailRole',
  'VerifyRole',
];

const SECRETS = ['SigningKeys', 'RefreshSecrets', 'Peppers'];
const logsOf = (fn: string) => [`logs:CreateLogStream on \${${fn}Logs.Arn}`, `logs:PutLogEvents on \${${fn}Logs.Arn}`];
const PUBLIC_KEYS = 'arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${PublicKeys}';

const changingKeys = (...more: string[]) => [
  ...SECRETS.flatMap((name) =>
    ['GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage', ...more].map(
      (action) => `secretsmanager:${action} on \${${name}}`,
    ),
  ),
  `ssm:GetParameter on ${PUBLIC_KEYS}`,
  `ssm:PutParameter on ${PUBLIC_KEYS}`,
];

const IDENTITY = 'arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/';
const SEND = `ses:SendEmail on ${IDENTITY}example.com as auth@example.com`;

const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  Authorizer: [],
  Fallback: [],
  Login: [
    'dynamodb:GetItem on ${Users.Arn} where LOGIN#*, USER#*',
    'dynamodb:UpdateItem on ${Users.Arn} where LOGIN#*, ATTEMPTS#*',
    'dynamodb:DeleteItem on ${Users.Arn} where ATTEMPTS#*',
    'dynamodb:PutItem on ${Sessions.Arn}',
    'dynamodb:Query on ${Sessions.Arn}',
    'dynamodb:DeleteItem on ${Sessions.Arn}',
    'secretsmanager:GetSecretValue on ${SigningKeys}',
    'secretsmanager:GetSecretValue on ${RefreshSecrets}',
    'secretsmanager:GetSecretValue on ${Peppers}',
  ],
  Refresh: [
    'dynamodb:GetItem on ${Users.Arn} where USER#*',
    'dynamodb:UpdateItem on ${Sessions.Arn}',
    'secretsmanager:GetSecretValue on ${SigningKeys}',
    'secretsmanager:GetSecretValue on ${RefreshSecrets}',
  ],
  Verify: [
    'dynamodb:GetItem on ${Users.Arn} where USER#*',
    'dynamodb:GetItem on ${Sessions.Arn}',
    'secretsmanager:GetSecretValue on ${RefreshSecrets}',
    `ssm:GetParameter on ${PUBLIC_KEYS}`,
  ],
  Blacklist: ['dynamodb:UpdateItem on ${Sessions.Arn}', 'secretsmanager:GetSecretValue on ${RefreshSecrets}'],
  Password: [
    'dynamodb:GetItem on ${Users.Arn} where USER#*, LOGIN#*',
    'dynamodb:UpdateItem on ${Users.Arn} where USER#*, LOGIN#*, ATTEMPTS#*',
    'dynamodb:DeleteItem on ${Users.Arn} where ATTEMPTS#*',
    'dynamodb:GetItem on ${Sessions.Arn}',
    'dynamodb:PutItem on ${Sessions.Arn}',
    'secretsmanager:GetSecretValue on ${SigningKeys}',
    'secretsmanager:GetSecretValue on ${RefreshSecrets}',
    'secretsmanager:GetSecretValue on ${Peppers}',
  ],
  Profile: ['dynamodb:GetItem on ${Users.Arn} where USER#*', 'dynamodb:GetItem on ${Sessions.Arn}'],
  Account: [
    'dynamodb:GetItem on ${Users.Arn} where USER#*, LOGIN#*',
    'dynamodb:UpdateItem on ${Users.Arn} where USER#*, ATTEMPTS#*',
    'dynamodb:PutItem on ${Users.Arn} where CODE#*',
    'dynamodb:DeleteItem on ${Users.Arn} where USER#*, LOGIN#*, EMAIL#*, ATTEMPTS#*',
    'dynamodb:GetItem on ${Sessions.Arn}',
    'dynamodb:Query on ${Sessions.Arn}',
    'dynamodb:DeleteItem on ${Sessions.Arn}',
    'secretsmanager:GetSecretValue on ${Peppers}',
    SEND,
  ],
  VerifyEmail: [
    'dynamodb:GetItem on ${Users.Arn} where CODE#*, USER#*',
    'dynamodb:UpdateItem on ${Users.Arn} where USER#*',
    'dynamodb:PutItem on ${Users.Arn} where EMAIL#*',
    'dynamodb:DeleteItem on ${Users.Arn} where CODE#*, EMAIL#*, ATTEMPTS#*',
  ],
  ResetPassword: [
    'dynamodb:GetItem on ${Users.Arn} where EMAIL#*, USER#*',
    'dynamodb:UpdateItem on ${Users.Arn} where ATTEMPTS#*',
    'dynamodb:PutItem on ${Users.Arn} where CODE#*',
    SEND,
  ],
  ConfirmReset: [
    'dynamodb:GetItem on ${Users.Arn} where CODE#*, USER#*',
    'dynamodb:UpdateItem on ${Users.Arn} where LOGIN#*, USER#*',
    'dynamodb:DeleteItem on ${Users.Arn} where CODE#*, ATTEMPTS#*',
    'secretsmanager:GetSecretValue on ${Peppers}',
    SEND,
  ],
  Devices: [
    'dynamodb:GetItem on ${Users.Arn} where USER#*',
    'dynamodb:UpdateItem on ${Users.Arn} where USER#*',
    'dynamodb:GetItem on ${Sessions.Arn}',
    'dynamodb:UpdateItem on ${Sessions.Arn}',
    'dynamodb:Query on ${Sessions.Arn}',
  ],
  Docs: [],
  Openapi: [],
  Jwks: [`ssm:GetParameter on ${PUBLIC_KEYS}`],
  MakeKeys: changingKeys(),
  RotateKeys: changingKeys('DescribeSecret'),
};

test.each(Object.keys(RIGHTS))('%s may do exactly this, and write its own log', (fn) => {
  expect(rightsOf(fn).toSorted()).toEqual([...(RIGHTS[fn] ?? []), ...logsOf(fn)].toSorted());
});

test('every function has a role of its own, for Lambda alone, and but for the one of access logs there is no other', () => {
  const roles = template.ofType('AWS::IAM::Role').filter(({ path }) => path !== 'ApiLogRole');
  expect(roles.map(({ path }) => path).toSorted()).toEqual(ROLES);
  expect(template.ofType('AWS::Lambda::Function').map(({ properties }) => properties['Role'])).toEqual(
    template.ofType('AWS::Lambda::Function').map(({ path }) => `\${${path}Role.Arn}`),
  );
  for (const { properties } of roles) {
    expect(properties).toEqual({
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
      },
    });
  }
});

test('a policy belongs to one role, and no policy is managed', () => {
  const policies = template.resources.filter(({ type }) => type.startsWith('AWS::IAM::') && type !== 'AWS::IAM::Role');
  expect(new Set(policies.map(({ type }) => type))).toEqual(new Set(['AWS::IAM::Policy']));
  expect(policies.map(({ properties }) => properties['Roles'])).toEqual(
    policies.map(({ path }) => [`\${${path.replace('/DefaultPolicy', '')}}`]),
  );
  expect(template.text).not.toContain('ManagedPolicyArns');
});

test('the role of access logs is for API Gateway, and may do with logs what API Gateway asks of it', () => {
  expect(template.at('ApiLogRole')).toEqual({
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'apigateway.amazonaws.com' } }],
    },
    Policies: [
      {
        PolicyName: 'WriteLogs',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: [
                'logs:CreateLogGroup',
                'logs:CreateLogStream',
                'logs:DescribeLogGroups',
                'logs:DescribeLogStreams',
                'logs:FilterLogEvents',
                'logs:GetLogEvents',
                'logs:PutLogEvents',
              ],
              Resource: '*',
            },
          ],
        },
      },
    ],
  });
});

test('with tracing every function may also write traces, which have no name, and nothing else is different', () => {
  const traced = templateFor({ env: 'prod', docs: 'on', tracing: 'on', mailFrom: 'auth@example.com' });
  for (const fn of Object.keys(RIGHTS)) {
    const added = rightsOf(fn, traced).filter((right) => !rightsOf(fn).includes(right));
    expect(added.toSorted()).toEqual(['xray:PutTelemetryRecords on *', 'xray:PutTraceSegments on *']);
  }
});

test('alarms are published by CloudWatch from this account, and by nobody without TLS', () => {
  const statements = template.ofType('AWS::SNS::TopicPolicy').flatMap(statementsOf);
  expect(statements).toEqual([
    expect.objectContaining({
      Effect: 'Deny',
      Action: 'sns:Publish',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    }),
    {
      Sid: '1',
      Effect: 'Allow',
      Action: 'sns:Publish',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Resource: '${Alarms}',
      Condition: { StringEquals: { 'aws:SourceAccount': '${AWS::AccountId}' } },
    },
  ]);
});

test('no right names a wildcard action or resource', () => {
  for (const right of ROLES.flatMap((role) => rightsOf(role.replace('Role', '')))) {
    const [granted] = right.split(' where ');
    expect(granted).not.toContain('*');
  }
});

test('nobody but those who ask for a password reads a hash, and nobody scans or queries users', () => {
  const all = Object.keys(RIGHTS).flatMap((fn) => rightsOf(fn).map((right) => `${fn}: ${right}`));
  const ofUsers = all.filter((right) => right.includes('${Users.Arn}'));
  expect(ofUsers.filter((right) => right.includes('LOGIN#') || !right.includes(' where '))).toEqual([
    'Login: dynamodb:GetItem on ${Users.Arn} where LOGIN#*, USER#*',
    'Login: dynamodb:UpdateItem on ${Users.Arn} where LOGIN#*, ATTEMPTS#*',
    'Password: dynamodb:GetItem on ${Users.Arn} where USER#*, LOGIN#*',
    'Password: dynamodb:UpdateItem on ${Users.Arn} where USER#*, LOGIN#*, ATTEMPTS#*',
    'Account: dynamodb:GetItem on ${Users.Arn} where USER#*, LOGIN#*',
    'Account: dynamodb:DeleteItem on ${Users.Arn} where USER#*, LOGIN#*, EMAIL#*, ATTEMPTS#*',
    // It writes one without having read any.
    'ConfirmReset: dynamodb:UpdateItem on ${Users.Arn} where LOGIN#*, USER#*',
  ]);
  expect(all.filter((right) => /Scan|Query|Batch|PartiQL/.test(right))).toEqual([
    'Login: dynamodb:Query on ${Sessions.Arn}',
    'Account: dynamodb:Query on ${Sessions.Arn}',
    'Devices: dynamodb:Query on ${Sessions.Arn}',
  ]);
});

test('each secret is lent to exactly the functions that need it', () => {
  const readers = (secret: string) =>
    Object.keys(RIGHTS).filter((fn) => rightsOf(fn).some((right) => right.endsWith(`on \${${secret}}`)));
  expect(Object.fromEntries(SECRETS.map((secret) => [secret, readers(secret)]))).toEqual({
    SigningKeys: ['Login', 'Refresh', 'Password', 'MakeKeys', 'RotateKeys'],
    RefreshSecrets: ['Login', 'Refresh', 'Verify', 'Blacklist', 'Password', 'MakeKeys', 'RotateKeys'],
    Peppers: ['Login', 'Password', 'Account', 'ConfirmReset', 'MakeKeys', 'RotateKeys'],
  });
});

const allPermissions = template.ofType('AWS::Lambda::Permission').map(({ properties }) => properties);
const isOfSecretsManager = ({ Principal }: Readonly<Record<string, unknown>>) =>
  Principal === 'secretsmanager.amazonaws.com';

test('the function that rotates is invoked for our three secrets of this account alone', () => {
  expect(allPermissions.filter(isOfSecretsManager)).toEqual(
    SECRETS.map((secret) => ({
      Action: 'lambda:InvokeFunction',
      FunctionName: '${RotateKeys.Arn}',
      Principal: 'secretsmanager.amazonaws.com',
      SourceAccount: '${AWS::AccountId}',
      SourceArn: `\${${secret}}`,
    })),
  );
});

test('every other function is invoked by our API alone: no function URL, no other permission', () => {
  const permissions = allPermissions.filter((permission) => !isOfSecretsManager(permission));
  const api = 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}';
  const granted = permissions.map(({ Action, Principal, FunctionName, SourceArn }) => {
    expect([Action, Principal]).toEqual(['lambda:InvokeFunction', 'apigateway.amazonaws.com']);
    return `${String(FunctionName)} ${String(SourceArn)}`;
  });
  expect(granted.toSorted()).toEqual(
    [
      `\${Authorizer.Arn} ${api}/authorizers/\${AccessToken}`,
      `\${Login.Arn} ${api}/v1/POST/api/token`,
      `\${Refresh.Arn} ${api}/v1/POST/api/token/refresh`,
      `\${Verify.Arn} ${api}/v1/POST/api/token/verify`,
      `\${Blacklist.Arn} ${api}/v1/POST/api/token/blacklist`,
      `\${Password.Arn} ${api}/v1/POST/api/password`,
      `\${Profile.Arn} ${api}/v1/GET/api/profile`,
      `\${Account.Arn} ${api}/v1/PATCH/api/profile`,
      `\${Account.Arn} ${api}/v1/DELETE/api/profile`,
      `\${Account.Arn} ${api}/v1/GET/api/profile/export`,
      `\${VerifyEmail.Arn} ${api}/v1/POST/api/email/verify`,
      `\${ResetPassword.Arn} ${api}/v1/POST/api/password/reset`,
      `\${ConfirmReset.Arn} ${api}/v1/POST/api/password/reset/confirm`,
      `\${Devices.Arn} ${api}/v1/GET/api/sessions`,
      `\${Devices.Arn} ${api}/v1/DELETE/api/sessions`,
      `\${Devices.Arn} ${api}/v1/DELETE/api/sessions/*`,
      `\${Jwks.Arn} ${api}/v1/GET/.well-known/jwks.json`,
      `\${Jwks.Arn} ${api}/v1/GET/.well-known/openid-configuration`,
      `\${Jwks.Arn} ${api}/v1/GET/.well-known/oauth-authorization-server`,
      `\${Openapi.Arn} ${api}/v1/GET/openapi.json`,
      `\${Docs.Arn} ${api}/v1/GET/docs`,
      `\${Docs.Arn} ${api}/v1/GET/docs/*`,
      `\${Fallback.Arn} ${api}/v1/*`,
    ].toSorted(),
  );
  expect(template.ofType('AWS::Lambda::Url')).toEqual([]);
});

test('no table and no secret has a policy that lets somebody else in', () => {
  expect(template.resources.filter(({ type }) => type.includes('ResourcePolicy'))).toEqual([]);
  expect(template.text).not.toContain('ResourcePolicy');
});

/** What a function's role may do: one line for each action on each resource. */
function rightsOf(fn: string, of = template): string[] {
  const policies = of.resources.filter(
    ({ type, properties }) => type === 'AWS::IAM::Policy' && listOf(properties['Roles']).includes(`\${${fn}Role}`),
  );
  return policies.flatMap(statementsOf).flatMap((statement) => {
    expect(Object.keys(statement).filter((name) => !/^(Effect|Action|Resource|Condition)$/.test(name))).toEqual([]);
    expect(statement['Effect']).toBe('Allow');
    return listOf(statement['Action']).flatMap((action) =>
      listOf(statement['Resource']).map(
        (resource) => `${String(action)} on ${String(resource)}${condition(statement['Condition'])}`,
      ),
    );
  });
}

const statementsOf = ({ properties }: Resource) =>
  listOf(membersOf(properties['PolicyDocument'])['Statement']).map(membersOf);

/** The conditions we use, in words; any other would not match an expectation. */
function condition(value: unknown): string {
  if (value === undefined) return '';
  if (JSON.stringify(value).includes(RING_TAG)) return ` if ${JSON.stringify(value)}`;
  if ('StringEquals' in membersOf(value)) {
    const from = membersOf(membersOf(value)['StringEquals'])['ses:FromAddress'];
    expect(value).toEqual({ StringEquals: { 'ses:FromAddress': from } });
    return ` as ${String(from)}`;
  }
  const prefixes = listOf(membersOf(membersOf(value)['ForAllValues:StringLike'])['dynamodb:LeadingKeys']);
  expect(value).toEqual({
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': prefixes },
    // Without it, ForAllValues is true of a request that has no leading key.
    Null: { 'dynamodb:LeadingKeys': 'false' },
  });
  return ` where ${prefixes.join(', ')}`;
}

describe('with keys in KMS', () => {
  const inKms = (signing: string, more: object = {}) =>
    templateFor({ env: 'prod', docs: 'on', mailFrom: 'auth@example.com', signing, ...more });
  const keys = inKms('kms');
  const KEY = 'arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*';
  const ours = { 'aws:ResourceTag/latchkey-ring': '${SigningKeys}' };
  const marked = { 'aws:RequestTag/latchkey-ring': '${SigningKeys}' };
  const onlyOurMark = { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['latchkey-ring'] } };
  const right = (action: string, resource: string, condition?: object) =>
    `kms:${action} on ${resource}${condition === undefined ? '' : ` if ${JSON.stringify(condition)}`}`;

  const signing = [
    right('Sign', KEY, {
      StringEquals: {
        ...ours,
        'kms:SigningAlgorithm': ['ECDSA_SHA_256', 'ED25519_SHA_512', 'RSASSA_PKCS1_V1_5_SHA_256'],
      },
    }),
  ];
  const changing = (spec: string) => [
    right('ListKeys', '*'),
    right('CreateKey', '*', {
      StringEquals: { ...marked, 'kms:KeySpec': spec, 'kms:KeyUsage': 'SIGN_VERIFY' },
      ...onlyOurMark,
    }),
    right('TagResource', KEY, { StringEquals: marked, ...onlyOurMark }),
    right('ListResourceTags', KEY),
    right('GetPublicKey', KEY),
    right('DescribeKey', KEY, { StringEquals: { ...ours, 'kms:KeyUsage': 'SIGN_VERIFY' } }),
    right('ScheduleKeyDeletion', KEY, { StringEquals: { ...ours, 'kms:KeyUsage': 'SIGN_VERIFY' } }),
  ];

  test('three functions sign, with keys of this stack alone, two make them and cannot sign, and nobody else has a right', () => {
    const added: Readonly<Record<string, readonly string[]>> = {
      Login: signing,
      Refresh: signing,
      Password: signing,
      MakeKeys: changing('ECC_NIST_P256'),
      RotateKeys: changing('ECC_NIST_P256'),
    };
    for (const fn of Object.keys(RIGHTS)) {
      const expected = [...rightsOf(fn), ...(added[fn] ?? [])].toSorted();
      expect([fn, rightsOf(fn, keys).toSorted()]).toEqual([fn, expected]);
    }
  });

  test.each([
    ['EdDSA', 'ECC_NIST_EDWARDS25519'],
    ['RS256', 'RSA_3072'],
  ])('for %s keys of %s are made and no others', (signingAlgorithm, spec) => {
    const rights = rightsOf('MakeKeys', inKms('kms', { signingAlgorithm }));
    expect(rights.filter((one) => one.startsWith('kms:')).toSorted()).toEqual(changing(spec).toSorted());
  });

  test('on the way back from KMS the rights are the same, since its last key signs on', () => {
    const back = inKms('secret-after-kms');
    for (const fn of Object.keys(RIGHTS)) expect(rightsOf(fn, back)).toEqual(rightsOf(fn, keys));
  });

  test('in the secret alone the template does not know KMS: no right, no variable, no word', () => {
    expect(templateFor({ env: 'prod' }).text).not.toMatch(/kms/i);
    expect(keys.text).toMatch(/kms/i);
  });
});

test('Register, where there is one, writes accounts and reads none', () => {
  const open = templateFor({ env: 'prod', registration: 'on' });
  expect(rightsOf('Register', open).toSorted()).toEqual(
    [
      'dynamodb:PutItem on ${Users.Arn} where LOGIN#*, USER#*, CODE#*',
      'dynamodb:UpdateItem on ${Users.Arn} where ATTEMPTS#*',
      'secretsmanager:GetSecretValue on ${Peppers}',
      ...logsOf('Register'),
    ].toSorted(),
  );
});

test('without an address to send from nobody may send, and what needs mails is not there', () => {
  const mailless = templateFor({ env: 'prod', docs: 'on' });
  expect(mailless.text).not.toContain('ses:');
  const functions = (one: typeof template) => one.ofType('AWS::Lambda::Function').map(({ path }) => path);
  const missing = functions(template).filter((path) => !functions(mailless).includes(path));
  expect(missing.toSorted()).toEqual(['ConfirmReset', 'ResetPassword', 'VerifyEmail']);
});

test('the demo page is not there unless somebody asks for it, and may do nothing then', () => {
  expect(template.resources.filter(({ path }) => path.startsWith('Demo'))).toEqual([]);
  const shown = templateFor({ env: 'prod', demoPage: 'on' });
  expect(rightsOf('Demo', shown)).toEqual(logsOf('Demo'));
  const invokers = shown
    .ofType('AWS::Lambda::Permission')
    .filter(({ properties }) => properties['FunctionName'] === '${Demo.Arn}')
    .map(({ properties }) => String(properties['SourceArn']).replace(/^.*:\$\{Api\}/, ''));
  expect(invokers.toSorted()).toEqual(['/v1/GET/', '/v1/GET/demo/*']);
});

test('mails may be sent as the address itself where that is the identity', () => {
  const { text } = templateFor({ mailFrom: 'auth@example.com', mailIdentity: 'auth@example.com' });
  expect(text).toContain(':identity/auth@example.com');
  expect(text).not.toContain(':identity/example.com');
});
