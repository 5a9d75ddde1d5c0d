import { beforeEach, describe, expect, test } from '@jest/globals';
import { changeAccount, type ChangeNeeds } from '../../../functions/account/change.ts';
import { deleteAccount, type DeleteNeeds } from '../../../functions/account/delete.ts';
import type { Caller } from '../../../functions/shared/domain/standing.ts';
import type { User } from '../../../functions/shared/domain/user.ts';
import { aLogin, aSession, aUser } from '../../support/builders.ts';
import { START } from '../../support/clock.ts';
import { refusalOf, unreachable } from '../../support/world.ts';

const ada = aUser({ email: 'ada@example.com', emailVerified: true });
const caller: Caller = { userId: ada.id, sessionId: aSession().sessionId };

let said: string[];
let reads: (User | undefined)[];
let writes: boolean[];
let needs: ChangeNeeds & DeleteNeeds;

beforeEach(() => {
  said = [];
  reads = [];
  writes = [];
  const write = () => Promise.resolve(writes.shift() ?? false);
  needs = {
    now: () => START,
    findSession: () => Promise.resolve(aSession()),
    findUser: () => Promise.resolve(reads.length > 0 ? reads.shift() : ada),
    countAttempt: () => Promise.resolve({ mayTry: true, failures: 1 }),
    clearAttempts: () => Promise.resolve(),
    findLogin: () => Promise.resolve(aLogin()),
    passwords: { matches: () => Promise.resolve(true) },
    changeProfile: async (read) => ((await write()) ? read : undefined),
    removeEmail: write,
    putCode: () => Promise.resolve(),
    newCode: () => 'TOKEN',
    verifyLink: 'none',
    raiseEpoch: () => Promise.resolve(),
    removeSessions: () => Promise.resolve(),
    removeAccount: write,
    sendMail: ({ subject }) => Promise.resolve(void said.push(subject)),
    note: (event) => void said.push(event),
    warn: (event) => void said.push(event),
  };
});

describe('a deletion', () => {
  const remove = (change: Partial<DeleteNeeds> = {}) =>
    refusalOf(deleteAccount(caller, 'password', { ...needs, ...change }));

  test('of an account that changes meanwhile reads it again', async () => {
    writes = [false, false, true];
    expect(await remove()).toBe('accepted');
    expect(said).toEqual(['account-deleted', 'Your account was deleted']);
  });

  test('of one that is gone meanwhile is done', async () => {
    reads = [ada, undefined];
    expect(await remove()).toBe('accepted');
    expect(said).toEqual(['account-deleted']);
  });

  test('of one that changes at every try is an outage, and nobody is told that it is gone', async () => {
    expect(await remove()).toBe('outage');
    expect(said).toEqual([]);
  });

  test('whose name leads to somebody else by now is refused', async () => {
    expect(await remove({ findLogin: () => Promise.resolve(undefined) })).toBe('bearer-refused');
  });
});

describe('a change', () => {
  const email = (address: string | null) => ({ email: { address, currentPassword: 'password' } });
  const change = (wanted: Parameters<typeof changeAccount>[1], other: Partial<ChangeNeeds> = {}) =>
    refusalOf(changeAccount(caller, wanted, { ...needs, ...other }));

  test.each<[string, Parameters<typeof changeAccount>[1]]>([
    ['a name', { displayName: 'Ada' }],
    ['an address', email('new@example.com')],
    ['an address that is taken away', email(null)],
  ])('of %s that meets others is tried three times', async (_, wanted) => {
    writes = [false, false, true];
    expect(await change(wanted)).toBe('accepted');
    writes = [];
    expect(await change(wanted)).toBe('outage');
  });

  test('of an address is told to its reader once it is made, and not before', async () => {
    expect(await change(email('new@example.com'))).toBe('outage');
    expect(said).toEqual([]);
    writes = [true];
    await change(email('new@example.com'));
    expect(said).toEqual(['Confirm your email address', 'Your email address is being changed']);
  });

  test('is made although wrong guesses cannot be forgotten', async () => {
    writes = [true];
    expect(await change(email(null), { clearAttempts: unreachable })).toBe('accepted');
    expect(said).toContain('guesses-not-cleared');
  });
});
