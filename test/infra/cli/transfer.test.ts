import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import bcrypt from 'bcryptjs';
import { count } from '../../support/counts.ts';
import { operators, type Operators } from '../../support/operators.ts';
import { describeVectors, djangoHashes } from '../../support/vectors.ts';

const PASSWORD = 'correct horse battery staple';

let office: Operators;
let folder: string;
beforeAll(async () => {
  office = await operators();
  folder = mkdtempSync(join(tmpdir(), 'latchkey-transfer-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await office.close();
});

function aFile(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const jsonLines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const importOf = (name: string, content: string) => office.run(['import', aFile(name, content)]);
const accountOf = async (name: string) => {
  const { logins, users } = await office.stored();
  const login = logins.get(name);
  return login && { login, user: users.get(login.userId)! };
};

describeVectors('users with hashes that Django has made', () => {
  test('come in from a dump of auth_user, under the ids they had, and their passwords open their accounts', async () => {
    const rows = [...Map.groupBy(djangoHashes(), ({ algorithm }) => algorithm).values()].map(([first]) => first!);
    const line = (row: (typeof rows)[number], at: number) =>
      `${at + 1},${row.encoded.includes(',') ? `"${row.encoded}"` : row.encoded},2024-05-06 07:08:09+00,t,f,Django-${row.algorithm},Ada,Lovelace,a${at}@example.com,2020-01-02 03:04:05.678+00\n`;
    const header = 'id,password,last_login,is_active,is_superuser,username,first_name,last_name,email,date_joined\n';
    const { code, out, err } = await importOf('auth_user.csv', header + rows.map(line).join(''));
    expect({ code, out, err }).toEqual({
      code: 0,
      out: `${rows.length} imported, 0 there already, 0 refused.\n`,
      err: '',
    });
    for (const [at, { algorithm, password }] of rows.entries()) {
      const { user } = (await accountOf(`django-${algorithm}`))!;
      expect(user).toEqual({
        id: String(at + 1),
        username: `Django-${algorithm}`,
        displayName: 'Ada Lovelace',
        email: `a${at}@example.com`,
        status: 'active',
        roles: [],
        epoch: 0,
        passwordVersion: 1,
        createdAt: 1_577_934_245,
      });
      expect(await office.fits(`django-${algorithm}`, password ?? '!')).toBe(password !== undefined);
    }
  });
});

test('an export holds everything, for this user of the machine alone, and an import of it gives the same accounts', async () => {
  const hash = await bcrypt.hash(PASSWORD, 4);
  await office.run(['create', 'Ours', '--display-name', 'Öurs "quoted", too', '--role', 'admin', '--role', 'ops'], {
    input: PASSWORD,
  });
  await importOf(
    'one.jsonl',
    jsonLines([{ username: 'theirs', password: hash, email: 'x@example.com', status: 'disabled' }]),
  );
  const before = await office.stored();
  const file = join(folder, 'export.jsonl');
  const exported = await office.run(['export', file]);
  expect(exported).toEqual({
    code: 0,
    out: `${before.users.size} users exported to ${file}, with their password hashes.\n`,
    err: '',
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(existsSync(`${file}.unfinished`)).toBe(false);

  expect(await office.run(['export', file])).toMatchObject({
    code: 1,
    err: expect.stringContaining('is there already'),
  });
  expect(await office.run(['export', file, '--force'])).toMatchObject({ code: 0 });
  expect(await office.run(['export', join(folder, 'no', 'such', 'folder')])).toMatchObject({ code: 1 });

  const again = await office.run(['import', file]);
  expect(again).toMatchObject({ code: 0, out: `0 imported, ${before.users.size} there already, 0 refused.\n` });
  for (const name of before.logins.keys()) await office.run(['delete', name]);
  expect((await office.stored()).users.size).toBe(0);
  const back = await office.run(['import', file]);
  expect(back).toMatchObject({ code: 0, out: `${before.users.size} imported, 0 there already, 0 refused.\n` });
  const after = await office.stored();
  expect(after.logins).toEqual(before.logins);
  expect(after.users).toEqual(before.users);
});

describe('rows that will not do', () => {
  const hash = '$2b$04$KeiC67SAI/QOoHHAXFb4NuRd3QVcATPNo4jhIzHVIXh4mW7sCgo36';

  test('are named with line and reason, never with the hash, and the others come in', async () => {
    const rows = [
      { username: 'good-one', password: hash },
      'not json',
      { password: hash },
      { username: 'nohash' },
      { username: 'ａｄｍｉｎ', password: hash },
      { username: 'plain', password: 'hunter2-in-plain-text' },
      { username: 'costly', password: hash.replace('$04$', '$31$') },
      { username: 'ours', password: `bcrypt-hmac-sha384:gone:${hash}` },
      { username: 'mail', password: hash, email: 'nowhere' },
      { username: 'shown', password: hash, display_name: 'x'.repeat(151) },
      { username: 'role', password: hash, roles: ['a b'] },
      { username: 'many', password: hash, roles: rolesOf(2_001) },
      { username: 'state', password: hash, status: 'maybe' },
      { username: 'when', password: hash, created_at: 'yesterday' },
      { username: 'ident', password: hash, id: 'not an id' },
      { username: 'typed', password: hash, email: 7 },
      { username: 'more', password: hash, epoch: 7 },
      { username: 'GOOD-ONE', password: hash.replace('36', '37') },
      { username: 'other', password: hash, id: 'taken-id' },
      { username: 'another', password: hash, id: 'taken-id' },
    ];
    const text = rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join('');
    const { code, out, err } = await importOf('bad.jsonl', text);
    expect({ code, out }).toEqual({ code: 1, out: '2 imported, 0 there already, 18 refused.\n' });
    const lines = err
      .trim()
      .split('\n')
      .sort((one, other) => Number(/\d+/.exec(one)) - Number(/\d+/.exec(other)));
    const reasons = lines.filter((line) => line.startsWith('line '));
    expect(reasons.map((line) => line.replace(/^line \d+: /, '').slice(0, 34))).toEqual([
      'no JSON object',
      'username is missing',
      'password is missing',
      'username: Enter a valid username: ',
      'password: no hash that can be read',
      'password: no hash that can be read',
      'password: a hash of ours whose pep',
      'email: Enter a valid email address',
      'display_name: Ensure this field ha',
      'roles has one that is none',
      'roles are too long for a token',
      'status is neither active nor disab',
      'created_at is no time',
      'id is none: 1 to 64 of A-Z a-z 0-9',
      'email is no text',
      'columns that are not known: epoch',
      'the username or the id is taken',
      'the username or the id is taken',
    ]);
    expect(err).not.toMatch(/hunter2|KeiC67SAI/);
    expect(await accountOf('good-one')).toBeDefined();
    expect(await accountOf('plain')).toBeUndefined();
    // Accounts are whole, or not there.
    await office.stored();
  });

  test('in a file that is none are one line', async () => {
    expect(await office.run(['import', join(folder, 'missing.jsonl')])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^.*missing\.jsonl cannot be read \(ENOENT\)\.\n$/),
    });
    expect(await office.run(['import', join(folder, 'missing.csv')])).toMatchObject({ code: 1, out: '' });
    expect(await importOf('broken.csv', 'username,password\n"a,b\n')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is no CSV from line'),
    });
    expect(await importOf('empty.jsonl', '')).toEqual({
      code: 0,
      out: '0 imported, 0 there already, 0 refused.\n',
      err: '',
    });
    expect(await office.run(['import'])).toMatchObject({ code: 2 });
    expect(await office.run(['export', 'a', 'b'])).toMatchObject({ code: 2 });
  });
});

test('an import that is cut off goes on where it was when it is run again', async () => {
  const hash = await bcrypt.hash(PASSWORD, 4);
  const many = count(400, 2_000);
  const rows = Array.from({ length: many }, (_, at) => ({ username: `cut-${at}`, password: hash }));
  const file = aFile('many.jsonl', jsonLines(rows));
  await office.run(['import', file], { killAfter: 700 });
  const { logins } = await office.stored();
  const there = [...logins.keys()].filter((name) => name.startsWith('cut-')).length;
  const { code, out } = await office.run(['import', file]);
  // Writes that were under way when the process died may have come in after we looked.
  const [, imported, present] = /^(\d+) imported, (\d+) there already, 0 refused\.\n$/.exec(out) ?? [];
  expect({ code, all: Number(imported) + Number(present) }).toEqual({ code: 0, all: many });
  expect(Number(present)).toBeGreaterThanOrEqual(there);
});

/** So many characters of roles, the two between each included. */
function rolesOf(length: number): string[] {
  const roles = [];
  for (let left = length; left > 0; left -= 62) roles.push(`${roles.length}`.padEnd(Math.min(60, left), 'r'));
  return roles;
}

test('roles are given and taken, each once, and named', async () => {
  await office.run(['create', 'rolf'], { input: PASSWORD });
  expect(await office.run(['roles', 'Rolf', '--add', 'admin', '--add', 'ops', '--add', 'admin'])).toEqual({
    code: 0,
    out: 'rolf has the roles admin, ops.\n',
    err: '',
  });
  expect(await office.run(['roles', 'rolf', '--remove', 'admin', '--add', 'dev'])).toMatchObject({
    out: 'rolf has the roles ops, dev.\n',
  });
  expect((await accountOf('rolf'))!.user.roles).toEqual(['ops', 'dev']);
  expect(await office.run(['roles', 'rolf', '--add', 'a b'])).toMatchObject({ code: 1 });
  const [most, tooMany] = [1_990, 1_991].map((length) => rolesOf(length).flatMap((role) => ['--add', role]));
  expect(await office.run(['roles', 'rolf', ...tooMany!])).toMatchObject({
    code: 1,
    err: 'The roles of a user have at most 2000 characters together, a comma and a space between each counted.\n',
  });
  expect((await accountOf('rolf'))!.user.roles).toEqual(['ops', 'dev']);
  expect(await office.run(['roles', 'rolf', ...most!])).toMatchObject({ code: 0 });
  expect((await accountOf('rolf'))!.user.roles.join(', ')).toHaveLength(2_000);
  expect(await office.run(['roles', 'rolf', ...most!.map((word) => word.replace('add', 'remove'))])).toMatchObject({
    code: 0,
  });
  expect(await office.run(['roles', 'rolf', '--remove', 'ops', '--remove', 'dev'])).toMatchObject({
    out: 'rolf has no roles.\n',
  });
  expect(readFileSync(join(folder, 'empty.jsonl'), 'utf8')).toBe('');
});

// Last, as every look at all that is stored takes minutes after it on the second engine.
const atScale = count(2_000, 100_000);
test(`${atScale} users come in, in memory that does not grow with them`, async () => {
  const hash = await bcrypt.hash(PASSWORD, 4);
  const file = join(folder, 'scale.jsonl');
  let text = '';
  for (let at = 0; at < atScale; at += 1) {
    text += `${JSON.stringify({ username: `scale-${at}`, password: hash, display_name: 'x'.repeat(100) })}\n`;
  }
  writeFileSync(file, text);
  // A heap that would not hold the file's rows ten times over.
  const { code, out, err } = await office.run(['import', file], {
    env: { NODE_OPTIONS: '--max-old-space-size=96' },
  });
  expect({ code, out, err }).toEqual({ code: 0, out: `${atScale} imported, 0 there already, 0 refused.\n`, err: '' });
}, 2_400_000);
