import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { DeleteCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { attemptCounter } from '../../../functions/shared/store/attempts.ts';
import { now } from '../../../functions/shared/runtime/clock.ts';
import { newSessionId } from '../../../functions/shared/runtime/ids.ts';
import { sessionPutter } from '../../../functions/shared/store/sessions.ts';
import { after, isoTime } from '../../../functions/shared/domain/time.ts';
import { emailFinder } from '../../../functions/shared/store/emails.ts';
import { emailKey } from '../../../functions/shared/store/schema.ts';
import { userItem } from '../../../functions/shared/store/users.ts';
import type { User } from '../../../functions/shared/domain/user.ts';
import { count } from '../../support/counts.ts';
import { operators, type Operators } from '../../support/operators.ts';
import { START } from '../../support/clock.ts';
import { aSession } from '../../support/builders.ts';

const PASSWORD = 'correct horse battery staple';
const OTHER = 'seven more words than anybody types';

let office: Operators;
beforeAll(async () => {
  office = await operators();
});
// Whatever a test did: no account is left in halves.
afterEach(() => office.stored());
afterAll(() => office.close());

const create = (username: string, ...options: string[]) =>
  office.run(['create', username, ...options], { input: `${PASSWORD}\n` });

async function userOf(username: string): Promise<User> {
  const { logins, users } = await office.stored();
  return users.get(logins.get(username)!.userId)!;
}

test('create makes an account that its password opens, and says who it is', async () => {
  const { code, out, err } = await create('Alice', '--display-name', 'Alice Ä.', '--role', 'admin', '--role', 'ops');
  const user = await userOf('alice');
  expect(user).toMatchObject({ username: 'Alice', displayName: 'Alice Ä.', roles: ['admin', 'ops'], status: 'active' });
  expect({ code, out, err }).toEqual({ code: 0, out: `Created Alice (${user.id}).\n`, err: '' });
  expect(await office.fits('alice', PASSWORD)).toBe(true);
});

test('a name is taken in every case of its letters', async () => {
  await create('bert');
  const before = await office.stored();
  expect(await office.run(['create', 'BERT'], { input: OTHER })).toEqual({
    code: 1,
    out: '',
    err: 'The username "BERT" is taken.\n',
  });
  expect(await office.stored()).toEqual(before);
});

test('of parallel creations of one name one wins, and its password is the one that counts', async () => {
  const words = Array.from({ length: count(4, 12) }, (_, each) => `${PASSWORD} ${each}`);
  const results = await Promise.all(words.map((input) => office.run(['create', 'carol'], { input })));
  expect(results.map(({ code }) => code).sort()).toEqual([0, ...words.slice(1).map(() => 1)]);
  const winner = results.findIndex(({ code }) => code === 0);
  expect(await office.fits('carol', words[winner]!)).toBe(true);
});

test('set-password ends every session, forgets failed logins, and leaves the old password nothing', async () => {
  await create('dora');
  const before = await userOf('dora');
  const countAttempt = attemptCounter(office.client, office.access.usersTable);
  while ((await countAttempt('dora', START)).mayTry);
  expect(await office.run(['set-password', 'Dora'], { input: OTHER })).toMatchObject({ code: 0, err: '' });
  expect(await userOf('dora')).toEqual({ ...before, passwordVersion: 2, epoch: before.epoch + 1 });
  expect([await office.fits('dora', PASSWORD), await office.fits('dora', OTHER)]).toEqual([false, true]);
  expect(await countAttempt('dora', START)).toEqual({ mayTry: true, failures: 1 });
});

test('of parallel new passwords one stands, and each that was set has ended the sessions before it', async () => {
  await create('emil');
  const words = Array.from({ length: count(3, 8) }, (_, each) => `${OTHER} ${each}`);
  const results = await Promise.all(words.map((input) => office.run(['set-password', 'emil'], { input })));
  const done = results.filter(({ code }) => code === 0).length;
  expect(done).toBeGreaterThan(0);
  expect(await userOf('emil')).toMatchObject({ passwordVersion: 1 + done, epoch: done });
  const fitting = await Promise.all(words.map((word) => office.fits('emil', word)));
  expect(fitting.filter(Boolean)).toHaveLength(1);
});

test('sessions shows the living sessions of a user, and revoke ends one or all of them', async () => {
  await create('gina');
  const { id: userId, epoch } = await userOf('gina');
  const put = sessionPutter(office.client, office.access.sessionsTable);
  const ids = [1, 2, 3].map(() => newSessionId()).sort();
  const device = { address: '203.0.113.7', userAgent: 'phone\u001b[31m/1' };
  const createdAt = now();
  for (const sessionId of ids) {
    const ends = { expiresAt: after(createdAt, 600), maxExpiresAt: after(createdAt, 900) };
    await put(aSession({ userId, sessionId, epoch, createdAt, ...ends, device }));
  }
  const shown = async (...options: string[]) => (await office.run(['sessions', 'Gina', ...options])).out.split('\n');
  const [header, ...lines] = await shown();
  expect(header).toMatch(/^ID +LOGGED IN +LAST USED +ADDRESS +USER AGENT$/);
  expect(lines.map((line) => line.split(/\s+/)[0])).toEqual([...ids.toReversed(), '']);
  expect(lines[0]).toContain('203.0.113.7      phone\\u001b[31m/1');

  const revoked = await office.run(['revoke', 'gina', ids[1]!]);
  expect(revoked).toEqual({ code: 0, out: 'The session of gina has ended.\n', err: '' });
  const [first, ...others] = await shown('--json');
  expect(JSON.parse(first!)).toEqual({
    id: ids[2],
    createdAt: isoTime(createdAt),
    lastUsedAt: isoTime(createdAt),
    expiresAt: isoTime(after(createdAt, 600)),
    ...device,
  });
  expect(others).toHaveLength(2);

  for (const session of [ids[1]!, newSessionId(), 'no id']) {
    const none = { code: 1, out: '', err: 'gina has no such session that is alive.\n' };
    expect(await office.run(['revoke', 'gina', session])).toEqual(none);
  }
  expect(await office.run(['revoke', 'gina'])).toMatchObject({ code: 0, out: 'Every session of gina has ended.\n' });
  expect(await shown('--json')).toEqual(['']);
  expect((await userOf('gina')).epoch).toBe(epoch + 1);
  expect(await office.run(['revoke', 'gina', ids[0]!, 'more'])).toMatchObject({ code: 2 });
  expect(await office.run(['sessions', 'nobody'])).toMatchObject({ code: 1, err: 'There is no user "nobody".\n' });
});

test('disable ends every session; enable brings none of them back', async () => {
  await create('fred');
  expect(await office.run(['disable', 'fred'])).toMatchObject({ code: 0, err: '' });
  expect(await userOf('fred')).toMatchObject({ status: 'disabled', epoch: 1 });
  expect(await office.run(['enable', 'FRED'])).toMatchObject({ code: 0, err: '' });
  expect(await userOf('fred')).toMatchObject({ status: 'active', epoch: 1 });
  expect(await office.fits('fred', PASSWORD)).toBe(true);
});

test('delete takes the account and its sessions, leaves those of others, and frees the name', async () => {
  await create('gina');
  await create('hugo');
  const [gina, hugo] = [await userOf('gina'), await userOf('hugo')];
  const sessions = [...Array.from({ length: 30 }, () => gina), hugo].map(({ id }, at) => ({
    userId: id,
    sessionId: `s${at}`,
  }));
  for (const Item of sessions) await put(office.access.sessionsTable, Item);

  expect(await office.run(['delete', 'Gina'])).toEqual({ code: 0, out: 'gina is deleted.\n', err: '' });
  const { logins, users } = await office.stored();
  expect([logins.has('gina'), users.has(gina.id)]).toEqual([false, false]);
  expect([await sessionsOf(gina), await sessionsOf(hugo)]).toEqual([0, 1]);
  expect(await create('gina')).toMatchObject({ code: 0 });
  expect((await userOf('gina')).id).not.toBe(gina.id);
});

test('delete frees the verified address of the account', async () => {
  await create('gwen');
  const gwen = await userOf('gwen');
  const { usersTable } = office.access;
  await put(usersTable, userItem({ ...gwen, email: 'Gwen@example.com', emailVerified: true }));
  await put(usersTable, { ...emailKey('gwen@example.com'), userId: gwen.id, schema: 1 });
  const ownerOf = emailFinder(office.client, usersTable);
  expect(await ownerOf('gwen@example.com')).toBe(gwen.id);
  expect(await office.run(['delete', 'gwen'])).toMatchObject({ code: 0 });
  expect(await ownerOf('gwen@example.com')).toBeUndefined();
});

test('a process that is killed leaves a whole account or none', async () => {
  const names = Array.from({ length: count(6, 40) }, (_, each) => `killed-${each}`);
  for (const [at, name] of names.entries()) {
    const killAfter = 120 + (at * 400) / names.length;
    await office.run(['create', name], { input: PASSWORD, killAfter });
  }
  // stored() throws where it finds a half.
  expect((await office.stored()).logins.size).toBeGreaterThan(0);
});

test.each(['show', 'disable', 'enable', 'delete'])('%s of nobody is refused in one line', async (command) => {
  expect(await office.run([command, 'nobody'])).toEqual({
    code: 1,
    out: '',
    err: 'There is no user "nobody".\n',
  });
});

test('show and list escape what a terminal would obey, and show no hash', async () => {
  await create('ivan');
  const ivan = await userOf('ivan');
  // Names like this one may have come from elsewhere; create takes none.
  await put(office.access.usersTable, userItem({ ...ivan, displayName: '\u001b[2J\u202egood\u009b1m' }));
  const { out: text } = await office.run(['show', 'ivan']);
  const { out: json } = await office.run(['show', 'ivan', '--json']);
  const { out: list } = await office.run(['list', '--json']);
  expect(text).toContain('displayName  \\u001b[2J\\u202egood\\u009b1m\n');
  const summary: unknown = JSON.parse(json);
  expect(summary).toEqual({
    username: 'ivan',
    id: ivan.id,
    status: 'active',
    displayName: '\u001b[2J\u202egood\u009b1m',
    roles: [],
    createdAt: new Date(ivan.createdAt * 1000).toISOString(),
  });
  expect(list).toContain(json);
  for (const shown of [text, json, list]) {
    expect(shown).not.toMatch(/(?!\n)\p{Cc}|\p{Cf}|\$2b\$|passwordHash/u);
  }
});

test('list goes on after a page and after an item that it cannot read, and says so', async () => {
  const ivan = await userOf('ivan');
  const pages = Array.from({ length: 24 }, (_, at) => ({
    ...ivan,
    username: `paged-${at}`,
    roles: ['x'.repeat(60_000)],
  }));
  for (const [at, user] of pages.entries())
    await put(office.access.usersTable, { ...userItem(user), pk: `USER#paged-${at}` });
  await put(office.access.usersTable, { ...userItem(ivan), pk: 'USER#odd', schema: 99 });
  try {
    const { code, out, err } = await office.run(['list']);
    expect(pages.filter(({ username }) => out.includes(`${username} `))).toHaveLength(pages.length);
    expect(err).toContain('Not readable: USER#odd (schema is of another version)\n');
    expect(code).toBe(1);
  } finally {
    for (const pk of [...pages.map((_, at) => `USER#paged-${at}`), 'USER#odd']) await remove(pk);
  }
});

test('a store that is not there is one line, not a stack trace', async () => {
  const { code, out, err } = await office.run(['list'], { env: { DYNAMODB_ENDPOINT: 'http://127.0.0.1:9' } });
  expect({ code, lines: err.split('\n').length }).toEqual({ code: 1, lines: 2 });
  expect(err).toMatch(/^The store could not be reached: .*ECONNREFUSED/);
  expect(out).not.toContain('   at ');
});

const put = (TableName: string, Item: Record<string, unknown>) =>
  office.client.send(new PutCommand({ TableName, Item }));

const remove = (pk: string) =>
  office.client.send(new DeleteCommand({ TableName: office.access.usersTable, Key: { pk } }));

async function sessionsOf({ id }: User): Promise<number | undefined> {
  const { Count } = await office.client.send(
    new QueryCommand({
      TableName: office.access.sessionsTable,
      KeyConditionExpression: 'userId = :id',
      ExpressionAttributeValues: { ':id': id },
    }),
  );
  return Count;
}
