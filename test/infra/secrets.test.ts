import { expect, test } from '@jest/globals';
import { listOf, membersOf, templateFor } from '../support/template.ts';

const template = templateFor({ env: 'prod' });
const functions = template.ofType('AWS::Lambda::Function');

/** Secrets by the variables that name them to a function. */
const namedTo = (path: string): unknown[] => {
  const variables = membersOf(membersOf(template.at(path)['Environment'] ?? {})['Variables'] ?? {});
  return Object.entries(variables)
    .filter(([name]) => name.endsWith('_SECRET'))
    .map(([, value]) => value);
};

/** Secrets that the role of a function may read. */
const readableBy = (path: string): unknown[] =>
  template
    .ofType('AWS::IAM::Policy')
    .filter(({ properties }) => listOf(properties['Roles']).includes(`\${${path}Role}`))
    .flatMap(({ properties }) => listOf(membersOf(properties['PolicyDocument'])['Statement']).map(membersOf))
    .filter(({ Action }) => listOf(Action).includes('secretsmanager:GetSecretValue'))
    .flatMap(({ Resource }) => listOf(Resource));

const secrets = template.ofType('AWS::SecretsManager::Secret').map(({ path }) => `\${${path}}`);

test('a function may read exactly the secrets that are named to it, and no value of one stands in a variable', () => {
  for (const { path } of functions) {
    expect([path, readableBy(path).toSorted()]).toEqual([path, namedTo(path).toSorted()]);
    for (const secret of namedTo(path)) expect(secrets).toContain(secret);
  }
  // A dynamic reference would put the value into the function's configuration.
  expect(template.text).not.toMatch(/resolve:(secretsmanager|ssm)/);
});

test('who only checks access tokens or serves public keys holds no secret at all', () => {
  for (const path of ['Authorizer', 'Fallback', 'Jwks', 'Profile', 'Devices']) {
    expect([path, readableBy(path)]).toEqual([path, []]);
  }
});

test('the peppers are for whoever hashes passwords, and every secret is read by somebody', () => {
  const holders = (secret: string) =>
    functions.map(({ path }) => path).filter((path) => readableBy(path).includes(secret));
  for (const secret of secrets) expect(holders(secret).length).toBeGreaterThan(1);
  for (const path of ['Refresh', 'Verify', 'Blacklist']) expect(holders('${Peppers}')).not.toContain(path);
  for (const path of ['Verify', 'Blacklist']) expect(holders('${SigningKeys}')).not.toContain(path);
});
