import { beforeEach, describe, expect, test } from '@jest/globals';
import { askForReset, type ResetNeeds } from '../../../functions/reset-password/reset-password.ts';
import type { EventDetails } from '../../../functions/shared/domain/events.ts';
import type { UserId } from '../../../functions/shared/domain/ids.ts';
import type { User } from '../../../functions/shared/domain/user.ts';
import type { Mail } from '../../../functions/shared/mail/mailer.ts';
import { aUser } from '../../support/builders.ts';
import { clockAt, START } from '../../support/clock.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { refusalOf, unreachable } from '../../support/world.ts';

const EMAIL = 'ada@example.com';
const CALLER = '203.0.113.7';
const ada = aUser({ email: 'Ada@example.com', emailVerified: true });

let users: User[];
let mails: Mail[];
let codes: unknown[][];
let noted: [string, EventDetails][];
let warned: string[];
let needs: ResetNeeds;
const clock = clockAt();

beforeEach(() => {
  clock.set(START);
  users = [ada];
  mails = [];
  codes = [];
  noted = [];
  warned = [];
  needs = {
    now: clock.now,
    countAttempt: memoryStore().countAttempt,
    findByEmail: (canonical) => Promise.resolve(users.find(({ email }) => email?.toLowerCase() === canonical)?.id),
    findUser: (id) => Promise.resolve(users.find((user) => user.id === id)),
    putCode: (...put) => Promise.resolve(void codes.push(put)),
    newCode: () => 'TOKEN',
    resetLink: 'none',
    sendMail: (mail) => Promise.resolve(void mails.push(mail)),
    // Long enough for whatever needs no time, as all of this does.
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    note: (event, details) => void noted.push([event, details]),
    warn: (event) => void warned.push(event),
  };
});

test('mails a code for half an hour to the address as its user wrote it', async () => {
  await askForReset('ADA@example.com', CALLER, needs);
  expect(mails).toMatchObject([{ to: 'Ada@example.com', subject: 'Choose a new password' }]);
  const what = { kind: 'reset', userId: ada.id, address: 'Ada@example.com', passwordVersion: 1 };
  expect(codes).toEqual([['TOKEN', { ...what, expiresAt: START + 1_800 }]]);
  expect(noted).toEqual([['password-reset-asked', { userId: ada.id }]]);
});

test.each<[string, User | undefined, EventDetails]>([
  ['nobody', undefined, { reason: 'unknown-address' }],
  ['a user who never verified it', aUser({ email: EMAIL }), { reason: 'unknown-address' }],
  [
    'a user who has another by now',
    aUser({ email: 'x@example.com', emailVerified: true }),
    { reason: 'unknown-address' },
  ],
  ['a user without one', aUser(), { reason: 'unknown-address' }],
  ['a disabled user', { ...ada, status: 'disabled' }, { userId: ada.id, reason: 'user-disabled' }],
])('mails nothing to the address of %s, and says so to nobody but the log', async (_, user, details) => {
  needs = {
    ...needs,
    findByEmail: () => Promise.resolve(ada.id),
    findUser: () => Promise.resolve(user),
  };
  await expect(askForReset(EMAIL, CALLER, needs)).resolves.toBeUndefined();
  expect([mails, codes]).toEqual([[], []]);
  expect(noted).toEqual([['password-reset-asked', details]]);
});

describe('the answer', () => {
  const answerOf = async (change: Partial<ResetNeeds>) => {
    let over = () => undefined as unknown;
    const pause = () => new Promise<void>((resolve) => (over = () => resolve()));
    let answered = false;
    const answering = askForReset(EMAIL, CALLER, { ...needs, ...change, pause }).then(() => (answered = true));
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    over();
    await answering;
  };
  const never = () => new Promise<never>(() => undefined);
  const fails = () => Promise.reject(new Error('no'));

  test.each<[string, Partial<ResetNeeds>]>([
    ['a code is mailed', {}],
    ['nobody has the address', { findByEmail: () => Promise.resolve(undefined) }],
    ['the address is never found', { findByEmail: never }],
    ['the user is never found', { findUser: never }],
    ['the mail never goes out', { sendMail: never }],
    ['looking for the address fails', { findByEmail: unreachable }],
    ['looking for the user fails', { findUser: unreachable }],
    ['the code cannot be stored', { putCode: unreachable }],
    ['the mail fails', { sendMail: fails }],
    ['no mail can be sent', { sendMail: undefined }],
    ['too many were asked for', { countAttempt: () => Promise.resolve({ mayTry: false, wait: 900 }) }],
  ])('comes when the pause is over and not before, where %s', (_, change) => answerOf(change));

  test('is an outage where not even the asking can be counted, whoever has the address', async () => {
    for (const findByEmail of [needs.findByEmail, () => Promise.resolve(undefined)]) {
      const asking = askForReset(EMAIL, CALLER, { ...needs, findByEmail, countAttempt: unreachable });
      expect(await refusalOf(asking)).toBe('outage');
    }
    expect(mails).toEqual([]);
  });
});

test('a mail that fails is counted, and what else fails is said', async () => {
  await askForReset(EMAIL, CALLER, { ...needs, sendMail: () => Promise.reject(new Error('no')) });
  expect(noted).toContainEqual(['mail-failed', { userId: ada.id, reason: 'Choose a new password' }]);
  await askForReset(EMAIL, CALLER, { ...needs, findUser: unreachable });
  expect(warned).toEqual(['mail-not-sent', 'reset-not-mailed']);
});

describe('asking again and again', () => {
  const ask = (email: string, caller: string) => askForReset(email, caller, needs);
  const other = (at: number) => aUser({ id: `u${at}` as UserId, email: `u${at}@example.com`, emailVerified: true });

  test('for one address from many places fills no mailbox', async () => {
    for (let at = 0; at < 40; at += 1) await ask(EMAIL, `198.51.100.${at}`);
    expect(mails).toHaveLength(5);
    expect(noted.slice(5)).toEqual(Array(35).fill(['password-reset-asked', { reason: 'too-many-resets' }]));
    clock.advance(1);
    await ask(EMAIL, '198.51.100.99');
    expect(mails).toHaveLength(6);
  });

  test('for many addresses from one place finds few of them', async () => {
    users = Array.from({ length: 40 }, (_, at) => other(at));
    for (let at = 0; at < 40; at += 1) await ask(`u${at}@example.com`, CALLER);
    expect(mails).toHaveLength(5);
  });

  test('counts for addresses that nobody has, and for every spelling of one', async () => {
    users = [];
    for (const [at, email] of [EMAIL, EMAIL.toUpperCase(), 'Ada@Example.Com', EMAIL, EMAIL].entries()) {
      await ask(email, `198.51.100.${at}`);
    }
    users = [ada];
    await ask(EMAIL, '198.51.100.50');
    expect(mails).toEqual([]);
  });
});
