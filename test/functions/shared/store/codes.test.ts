import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { codeFor, type CodeKind } from '../../../../functions/shared/domain/code.ts';
import type { User } from '../../../../functions/shared/domain/user.ts';
import { newCode, newUserId } from '../../../../functions/shared/runtime/ids.ts';
import { codeFinder, codePutter } from '../../../../functions/shared/store/codes.ts';
import { emailFinder, emailRemover, emailVerifier } from '../../../../functions/shared/store/emails.ts';
import { accountRemover } from '../../../../functions/shared/store/removal.ts';
import { passwordResetter } from '../../../../functions/shared/store/resets.ts';
import { emailKey } from '../../../../functions/shared/store/schema.ts';
import { userItem } from '../../../../functions/shared/store/users.ts';
import { aLogin, aUser } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';
import { startTables, type Tables } from '../../../support/tables.ts';

let tables: Tables;
let table: [Tables['client'], string];
let name: string;
let email: string;
let user: User & { email: string };
let code: string;

beforeAll(async () => {
  tables = await startTables();
  table = [tables.client, tables.names.users];
});
afterAll(() => tables.stop());
beforeEach(async () => {
  name = randomUUID();
  email = `${name}@example.com`;
  user = { ...aUser({ id: newUserId(), epoch: 4, passwordVersion: 2 }), email, emailVerified: true };
  await tables.store.setUser(user);
  await tables.store.setLogin(name, aLogin({ userId: user.id, passwordHash: 'old', passwordVersion: 2 }));
  await own(email, user);
  code = newCode();
});

const put = (Item: Record<string, unknown>) => tables.client.send(new PutCommand({ TableName: table[1], Item }));
const own = (address: string, { id }: User) => put({ ...emailKey(address), userId: id, schema: 1 });
const ownerOf = (address: string) => emailFinder(...table)(address);
const putCode = (kind: CodeKind, address: string) => codePutter(...table)(code, codeFor(kind, user, address, START));
const found = () => codeFinder(...table)(code);
const everything = async () => [
  await tables.store.findUser(user.id),
  await tables.store.findLogin(name),
  await ownerOf(email),
  await found(),
];

describe('a reset', () => {
  const reset = (read = user) => passwordResetter(...table)({ code, name, user: read, hash: 'new' });

  test('moves hash, versions and epoch and uses the code up, together', async () => {
    await putCode('reset', email);
    expect(await reset()).toBe('done');
    expect(await everything()).toEqual([
      { ...user, epoch: 5, passwordVersion: 3 },
      { userId: user.id, passwordHash: 'new', passwordVersion: 3 },
      user.id,
      undefined,
    ]);
  });

  test('without its code does nothing, though all else is as it was read', async () => {
    const before = await everything();
    expect(await reset()).toBe('used');
    expect(await everything()).toEqual(before);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['another password', () => tables.store.setUser({ ...user, passwordVersion: 3 })],
    [
      'a password that is half changed',
      () => tables.store.setLogin(name, aLogin({ userId: user.id, passwordVersion: 3 })),
    ],
    ['a login that leads to somebody else', () => tables.store.setLogin(name, aLogin({ passwordVersion: 2 }))],
    ['a disabled user', () => tables.store.setUser({ ...user, status: 'disabled' })],
    ['another address', () => tables.store.setUser({ ...user, email: 'other@example.com' })],
    ['an address that is not verified any more', () => tables.store.setUser(withoutMark(user))],
  ])('does nothing at all where it meets %s', async (_, meanwhile) => {
    await putCode('reset', email);
    await meanwhile();
    const before = await everything();
    expect(await reset()).toBe('changed');
    expect(await everything()).toEqual(before);
  });

  test('meets no obstacle in a raised epoch, and raises it again', async () => {
    await putCode('reset', email);
    await tables.store.raiseEpoch(user.id);
    expect(await reset()).toBe('done');
    expect(await tables.store.findUser(user.id)).toMatchObject({ epoch: 6 });
  });
});

describe('a verification', () => {
  const wanted = () => `new.${email}`;
  const verify = (read: User = user) => emailVerifier(...table)(code, { ...read, pendingEmail: wanted() });
  beforeEach(() => tables.store.setUser({ ...user, pendingEmail: wanted() }));

  test('puts the address in the place of the one before and uses the code up, together', async () => {
    await putCode('verify', wanted());
    expect(await verify()).toBe('done');
    expect(await tables.store.findUser(user.id)).toEqual({ ...user, email: wanted() });
    expect([await ownerOf(email), await ownerOf(wanted()), await found()]).toEqual([undefined, user.id, undefined]);
  });

  test('without its code does nothing', async () => {
    const before = await everything();
    expect(await verify()).toBe('used');
    expect([await everything(), await ownerOf(wanted())]).toEqual([before, undefined]);
  });

  test('takes the address from nobody', async () => {
    await putCode('verify', wanted());
    await own(wanted(), aUser());
    const before = await everything();
    expect(await verify()).toBe('taken');
    expect([await everything(), await ownerOf(wanted())]).toEqual([before, aUser().id]);
  });

  test.each<[string, () => User]>([
    ['waits for another address', () => ({ ...user, pendingEmail: 'other@example.com' })],
    ['waits for none', () => user],
    ['has another password by now', () => ({ ...user, pendingEmail: wanted(), passwordVersion: 3 })],
    ['was disabled', () => ({ ...user, pendingEmail: wanted(), status: 'disabled' })],
    ['has another address by now', () => ({ ...user, pendingEmail: wanted(), email: 'other@example.com' })],
  ])('does nothing for a user who %s', async (_, standing) => {
    await putCode('verify', wanted());
    await tables.store.setUser(standing());
    const before = await everything();
    expect(await verify()).toBe('changed');
    expect([await everything(), await ownerOf(wanted())]).toEqual([before, undefined]);
  });

  test('of an account that had none, or one that was not verified, takes nothing from anybody', async () => {
    await putCode('verify', wanted());
    const unverified = withoutMark({ ...user, pendingEmail: wanted() });
    await tables.store.setUser(unverified);
    await own(email, aUser());
    expect(await verify(unverified)).toBe('done');
    expect([await ownerOf(email), await ownerOf(wanted())]).toEqual([aUser().id, user.id]);
  });
});

describe('taking an address away', () => {
  test('takes the pending one along', async () => {
    await tables.store.setUser({ ...user, pendingEmail: 'new@example.com' });
    expect(await emailRemover(...table)(user)).toBe(true);
    expect(await tables.store.findUser(user.id)).toEqual(withoutEmail(user));
    expect(await ownerOf(email)).toBeUndefined();
  });

  test('does nothing where the user changed, or the address is somebody else’s', async () => {
    expect(await emailRemover(...table)({ ...user, epoch: 3 })).toBe(false);
    expect(await emailRemover(...table)({ ...user, email: email.toUpperCase() })).toBe(false);
    await own(email, aUser());
    expect(await emailRemover(...table)(user)).toBe(false);
    expect(await everything()).toEqual([user, expect.anything(), aUser().id, undefined]);
  });
});

describe('removing an account', () => {
  const remove = (read: User = user) => accountRemover(...table)(name, read);

  test('takes user, login and address away, once', async () => {
    expect(await remove()).toBe(true);
    expect(await everything()).toEqual([undefined, undefined, undefined, undefined]);
    expect(await remove()).toBe(false);
  });

  test('leaves an address that is not the account’s', async () => {
    const unverified = withoutMark(user);
    await tables.store.setUser(unverified);
    await own(email, aUser());
    expect(await remove(unverified)).toBe(true);
    expect(await ownerOf(email)).toBe(aUser().id);
  });

  test('does nothing where an address was verified or changed since, or the name leads elsewhere', async () => {
    expect(await remove(withoutEmail(user))).toBe(false);
    expect(await remove({ ...user, email: 'other@example.com' })).toBe(false);
    await tables.store.setLogin(name, aLogin());
    expect(await remove()).toBe(false);
    expect(await everything()).toEqual([user, aLogin(), user.id, undefined]);
  });
});

test('of an item, only true marks an address as verified, and only where there is one', async () => {
  for (const [emailVerified, address] of [
    [false, email],
    ['true', email],
    [true, undefined],
  ] as const) {
    await put({ ...userItem(user), email: address, emailVerified });
    expect(await tables.store.findUser(user.id)).not.toHaveProperty('emailVerified');
  }
});

const without = (read: User, ...names: (keyof User)[]): User =>
  Object.fromEntries(Object.entries(read).filter(([one]) => !names.some((each) => each === one))) as unknown as User;
const withoutMark = (read: User) => without(read, 'emailVerified');
const withoutEmail = (read: User) => without(read, 'email', 'emailVerified', 'pendingEmail');
