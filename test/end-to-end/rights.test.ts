/**
 * An engine asks nobody for leave, so what the functions asked of it is judged afterwards by the template's policies. (Every
 * other end-to-end test has the same judge when it closes its gateway; here all routes are called, and refusals count too.)
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PREFIX } from '../../functions/shared/store/schema.ts';
import { listIn, textIn } from '../../functions/shared/domain/unknown.ts';
import { isAllowed, type IamRequest } from '../support/iam.ts';
import { aGateway, inWords, PASSWORD, type TestGateway } from '../support/local-gateway.ts';
import type { Witnessed } from '../support/store-witness.ts';
import { listOf, membersOf, templateFor, type Context } from '../support/template.ts';
import { nextMail, tokenIn } from '../support/verified.ts';

const ACTIONS = [
  ...['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem', 'Query', 'Scan'],
  ...['BatchGetItem', 'BatchWriteItem', 'PartiQLSelect', 'PartiQLInsert', 'PartiQLUpdate', 'PartiQLDelete'],
  ...['DescribeTable', 'UpdateTable', 'UpdateTimeToLive', 'DeleteTable', 'ExportTableToPointInTime'],
].map((name) => `dynamodb:${name}`);
/** Kinds of key that the Users table has or could have. */
const KINDS = [...Object.values(PREFIX), 'OTHER#', '#', 'user#'];

/** Rights that no call below uses, each with the reason why it is granted. */
const NOT_CALLED: readonly string[] = [];

let api: TestGateway;
let asked: readonly Witnessed[];
beforeAll(async () => {
  // Another cost than the one that users are made with, so that login hashes again.
  api = await aGateway({ BCRYPT_COST: '5', SESSIONS_PER_USER: '2' });
  await callEverything();
  asked = await api.asked();
});
afterAll(() => api.close());

/** Every route of a function that has rights to a table, so that each right is used. */
async function callEverything(): Promise<void> {
  await api.user('ada');
  await api.post('/api/token', { username: 'ada', password: 'not the password of ada' });
  const { access, refresh } = await api.login('ada');
  const bearer = { Authorization: `Bearer ${access}` };
  await api.post('/api/token/refresh', { refresh });
  await api.post('/api/token/verify', { token: access });
  await api.get('/api/profile', bearer);
  const { body } = await api.get('/api/sessions', bearer);
  await fetch(`${api.url}/api/sessions?except=current`, { method: 'DELETE', headers: bearer });
  await fetch(`${api.url}/api/sessions/${textIn(listIn(body, 'results')[0] ?? {}, 'id')}`, {
    method: 'DELETE',
    headers: bearer,
  });
  await api.post('/api/token/blacklist', { refresh: (await api.login('ada')).refresh });
  // One more than a user may have.
  for (let more = 0; more < 3; more += 1) await api.login('ada');
  await callAccountRoutes();
}

async function callAccountRoutes(): Promise<void> {
  const [email, second] = ['grace@example.com', 'grace@example.org'];
  await api.post('/api/users', { username: 'grace', password: PASSWORD, email });
  await verify(email);
  let bearer = { Authorization: `Bearer ${(await api.login('grace')).access}` };
  const change = (body: object) => api.send('PATCH', '/api/profile', { current_password: PASSWORD, ...body }, bearer);
  await change({ display_name: 'Grace', email: second });
  await verify(second);
  await api.get('/api/profile/export', bearer);
  const changed = await api.post(
    '/api/password',
    { current_password: PASSWORD, new_password: `${PASSWORD} 2` },
    bearer,
  );
  bearer = { Authorization: `Bearer ${textIn(changed.body, 'access')}` };
  await api.post('/api/password/reset', { email: second });
  const token = tokenIn(await nextMail(api.mails, second, 'Choose a new password'));
  await api.post('/api/password/reset/confirm', { token, new_password: PASSWORD });
  bearer = { Authorization: `Bearer ${(await api.login('grace')).access}` };
  await change({ email: null });
  await api.send('DELETE', '/api/profile', { current_password: PASSWORD }, bearer);
}

const verify = async (email: string) =>
  api.post('/api/email/verify', { token: tokenIn(await nextMail(api.mails, email, 'Confirm your email address')) });

/** What a request is about: the kind of key in Users, a user's sessions in Sessions. */
const about = ({ resource, leadingKeys }: IamRequest) =>
  resource.includes('Sessions')
    ? 'sessions'
    : (leadingKeys ?? ['no key']).map((key) => key.replace(/#.*$/, '#')).join();
const named = (by: string, request: IamRequest) => `${by} ${request.action} ${tableIn(request)} ${about(request)}`;
const tableIn = ({ resource }: IamRequest) => resource.replace(/^.*:table\//, '');

test('each call is granted to the role of the function that made it', () => {
  expect(asked.length).toBeGreaterThan(15);
  expect(asked.filter(({ by, ...one }) => !isAllowed(api.rights.get(by) ?? [], one)).map(inWords)).toEqual([]);
});

test('nothing else is granted: no other action, table, kind of key or function, and nothing without a key', () => {
  const used = new Set(asked.map(({ by, ...one }) => named(by, one)));
  const tables = [...new Set(asked.map(({ resource }) => resource))];
  const granted = new Set<string>();
  for (const [by, statements] of api.rights) {
    for (const action of ACTIONS) {
      for (const resource of tables.flatMap((table) => [table, `${table}/index/any`, `${table}2`])) {
        const keys = resource.includes('Sessions')
          ? [['some-user']]
          : [...KINDS.map((kind) => [`${kind}x`]), undefined];
        for (const leadingKeys of keys) {
          const request = { action, resource, ...(leadingKeys && { leadingKeys }) };
          if (isAllowed(statements, request)) granted.add(named(by, request));
        }
      }
    }
  }
  expect(tables).toHaveLength(2);
  expect([...granted].filter((right) => !used.has(right)).toSorted()).toEqual(NOT_CALLED);
});

test('a transaction or batch with one key too many is refused as a whole', () => {
  for (const { by, leadingKeys, ...one } of asked) {
    if (!one.resource.includes('Users')) continue;
    const request = { ...one, leadingKeys: [...(leadingKeys ?? []), 'OTHER#x'] };
    expect([inWords({ by, ...request }), isAllowed(api.rights.get(by) ?? [], request)]).toEqual([
      expect.any(String),
      false,
    ]);
  }
});

test('the rights judged here are those of production', () => {
  const ofStore = (context: Context) =>
    templateFor(context)
      .ofType('AWS::IAM::Policy')
      .map(({ path, properties }) => {
        const statements = listOf(membersOf(properties['PolicyDocument'])['Statement']).map(membersOf);
        return [
          path,
          statements.filter(({ Action }) => listOf(Action).some((one) => String(one).startsWith('dynamodb:'))),
        ];
      });
  // With everything that is off there until somebody asks for it.
  const production = ofStore({
    env: 'prod',
    registration: 'on',
    docs: 'on',
    demoPage: 'on',
    mailFrom: 'auth@example.com',
  });
  expect(ofStore({ env: 'local' })).toEqual(production);
  expect(JSON.stringify(production)).toContain('dynamodb:LeadingKeys');
});
