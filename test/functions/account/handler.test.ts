import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { guessesOf } from '../../../functions/shared/account/counters.ts';
import { emailFinder } from '../../../functions/shared/store/emails.ts';
import { userKey } from '../../../functions/shared/store/schema.ts';
import type { TokenPair } from '../../../functions/shared/token/pair.ts';
import type { Request } from '../../support/events.ts';
import { expectNoSecretsIn } from '../../support/secrecy.ts';
import {
  authorizerContext,
  badToken,
  JSON_HEADERS,
  PROBLEM_HEADERS,
  problemOf,
  startService,
  type Account,
  type Service,
} from '../../support/service.ts';
import { changeEmail, mailsTo, tokenIn, verifyAddress } from '../../support/verified.ts';

let service: Service;
let account: Account;
let pair: TokenPair;
let email: string;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  account = await service.account();
  pair = await service.login(account);
  email = `Ada.${randomUUID()}@example.com`;
});

const call = async (request: Request) => {
  const { status, headers, body } = await service.call('account', {
    authorizer: authorizerContext(pair.access),
    ...request,
  });
  return { status, headers, body };
};
const ownerOf = (address: string) =>
  emailFinder(service.tables.client, service.tables.names.users)(address.toLowerCase());
const stored = () => service.tables.store.findUser(account.user.id);
const invalid = (fields: object) => ({
  status: 400,
  headers: PROBLEM_HEADERS,
  body: problemOf(400, 'Bad Request', 'Some fields are missing or not valid.', fields),
});

describe('a change of the profile', () => {
  test('changes what is named, takes away what is null, and answers with the whole', async () => {
    const bare = {
      email: null,
      email_verified: false,
      pending_email: null,
      roles: [],
      created_at: '2023-11-14T22:13:20Z',
    };
    const whole = { id: account.user.id, username: account.username, display_name: 'Ada 👩‍🔬', ...bare };
    expect(await call({ json: { display_name: 'Ada 👩‍🔬' } })).toEqual({
      status: 200,
      headers: JSON_HEADERS,
      body: whole,
    });
    expect((await call({ json: {} })).body).toEqual(whole);
    expect((await call({ json: { display_name: null } })).body).toEqual({ ...whole, display_name: null });
    expect((await call({ form: { display_name: 'Ada' } })).body).toEqual({ ...whole, display_name: 'Ada' });
  });

  test('names everything that is wrong at once, and changes nothing then', async () => {
    const json = { display_name: 'x'.repeat(151), email: 'nowhere', username: 'root', roles: ['admin'] };
    expect(await call({ json })).toEqual(
      invalid({
        display_name: ['Ensure this field has no more than 150 characters.'],
        email: ['Enter a valid email address.'],
        username: ['This field may not be changed.'],
        roles: ['This field may not be changed.'],
      }),
    );
    for (const one of [{ display_name: 'Ada', status: 'active' }, { email_verified: true }, { pending_email: email }]) {
      expect(await call({ json: one })).toMatchObject({ status: 400 });
    }
    const proto = { body: '{"__proto__":"x"}', headers: { 'Content-Type': 'application/json' } };
    expect(await call(proto)).toMatchObject({ status: 400 });
    expect(await stored()).toEqual(account.user);
  });

  test.each([[3], [''], [['a']], [{}], [true]])('takes no %j for a text', async (display_name) => {
    expect(await call({ json: { display_name } })).toMatchObject({ status: 400 });
  });

  test('is refused at once to a session that has ended', async () => {
    await service.tables.store.raiseEpoch(account.user.id);
    expect(await call({ json: { display_name: 'Ada' } })).toEqual(badToken('Given token not valid for any token type'));
    expect((await stored())?.displayName).toBeUndefined();
  });
});

describe('a new address', () => {
  const CONFIRM = 'Confirm your email address';

  test('is pending until the code that was mailed to it comes back, and then it is the user’s alone', async () => {
    const asked = await changeEmail(service, pair, account, email);
    expect(asked.body).toMatchObject({ email: null, email_verified: false, pending_email: email });
    expect(await ownerOf(email)).toBeUndefined();
    const [mail] = mailsTo(service.mails, email, CONFIRM);
    expect(mail).toMatchObject({ from: 'auth@example.com', to: [email] });
    expect(mail!.text).toContain(account.username);
    const answer = await service.call('verify-email', { json: { token: tokenIn(mail!) } });
    expect([answer.status, answer.text, answer.headers]).toEqual([200, '{}', JSON_HEADERS]);
    expect((await call({ json: {} })).body).toMatchObject({ email, email_verified: true, pending_email: null });
    expect(await ownerOf(email)).toBe(account.user.id);
  });

  test.each<[string, Record<string, unknown>, Record<string, string[]>]>([
    ['no password', {}, { current_password: ['This field is required.'] }],
    ['null for one', { current_password: null }, { current_password: ['This field may not be null.'] }],
    ['a number for one', { current_password: 1 }, { current_password: ['Not a valid string.'] }],
    ['the wrong one', { current_password: 'wrong' }, { current_password: ['Invalid password.'] }],
  ])('is refused with %s, and so is taking the present one away', async (_, given, fields) => {
    const mails = service.mails.length;
    for (const wanted of [email, null]) {
      expect(await call({ json: { email: wanted, display_name: 'Ada', ...given } })).toEqual(invalid(fields));
    }
    expect(await stored()).toEqual(account.user);
    expect(service.mails).toHaveLength(mails);
  });

  test('leaves the present one in its place, and its reader is told', async () => {
    await verifyAddress(service, account, email);
    const wanted = `new.${email}`;
    const { body } = await changeEmail(service, pair, account, wanted);
    expect(body).toMatchObject({ email, email_verified: true, pending_email: wanted });
    const [told] = mailsTo(service.mails, email, 'Your email address is being changed');
    expect(told!.text).toContain(account.username);
    expect(told!.text).not.toContain(wanted);
    expect([await ownerOf(email), await ownerOf(wanted)]).toEqual([account.user.id, undefined]);
    expect(await verifyAddress(service, account, wanted)).toMatchObject({ status: 200 });
    expect([await ownerOf(email), await ownerOf(wanted)]).toEqual([undefined, account.user.id]);
  });

  test('in another case of letters is the same one, and stays the user’s', async () => {
    await verifyAddress(service, account, email);
    expect(await verifyAddress(service, account, email.toUpperCase())).toMatchObject({ status: 200 });
    expect((await call({ json: {} })).body).toMatchObject({ email: email.toUpperCase(), email_verified: true });
    expect(await ownerOf(email)).toBe(account.user.id);
  });

  test('that is verified already needs no mail and takes a pending one back', async () => {
    await verifyAddress(service, account, email);
    await changeEmail(service, pair, account, `new.${email}`);
    const mails = service.mails.length;
    const { body } = await changeEmail(service, pair, account, email);
    expect(body).toMatchObject({ email, email_verified: true, pending_email: null });
    expect(service.mails).toHaveLength(mails);
  });

  test('of null takes the present one, verified or not, and the pending one away', async () => {
    await verifyAddress(service, account, email);
    await changeEmail(service, pair, account, `new.${email}`);
    const json = { email: null, display_name: 'Ada', current_password: account.password };
    expect((await call({ json })).body).toMatchObject({
      display_name: 'Ada',
      email: null,
      email_verified: false,
      pending_email: null,
    });
    expect(await ownerOf(email)).toBeUndefined();
    expect(mailsTo(service.mails, email, 'Your email address is being changed')).toHaveLength(2);
    await service.tables.store.setUser({ ...(await stored())!, email });
    expect((await call({ json })).body).toMatchObject({ email: null });
  });

  test('is mailed to six times at the most before its asker has to wait', async () => {
    const answers: number[] = [];
    let last = await changeEmail(service, pair, account, email);
    // The waits double, so that whatever the machine's speed one of them is met.
    for (; last.status === 200; last = await changeEmail(service, pair, account, email)) answers.push(last.status);
    expect(answers.length).toBeGreaterThanOrEqual(5);
    expect([last.status, last.headers]).toEqual([
      429,
      { ...PROBLEM_HEADERS, 'Retry-After': expect.stringMatching(/^[1-9]\d*$/) },
    ]);
    expect(mailsTo(service.mails, email, CONFIRM)).toHaveLength(answers.length);
  });

  test('whose mail fails is pending all the same, and the failure is counted', async () => {
    const { SES_ENDPOINT } = process.env;
    process.env['SES_ENDPOINT'] = 'http://127.0.0.1:9';
    await service.restart('account');
    process.env['SES_ENDPOINT'] = SES_ENDPOINT;
    try {
      const { status, body } = await changeEmail(service, pair, account, email);
      expect([status, body['pending_email']]).toEqual([200, email]);
      expect(service.log.filter((line) => line.includes('"MailFailed":1'))).toHaveLength(1);
    } finally {
      await service.restart('account');
    }
  });

  test('is refused where no mail can be sent, and the rest still works', async () => {
    const { MAIL_FROM } = process.env;
    process.env['MAIL_FROM'] = 'none';
    await service.restart('account');
    process.env['MAIL_FROM'] = MAIL_FROM;
    try {
      const { status, body } = await changeEmail(service, pair, account, email);
      expect([status, body['email']]).toEqual([400, ['No mail can be sent here to confirm an address.']]);
      expect(await changeEmail(service, pair, account, null)).toMatchObject({ status: 200 });
    } finally {
      await service.restart('account');
    }
  });
});

describe('wrong guesses at the current password', () => {
  test('are counted as one, whatever they were for', async () => {
    const wrong = { current_password: 'wrong' };
    for (let guess = 0; guess < 2; guess += 1) {
      await call({ json: { email, ...wrong } });
      await call({ method: 'DELETE', json: wrong });
      const json = { ...wrong, new_password: 'a horse of another colour' };
      await service.call('password', { authorizer: authorizerContext(pair.access), json });
    }
    const now = Math.floor(Date.now() / 1000) as never;
    const counted = await service.tables.store.countAttempt(guessesOf(account.user.id), now);
    // Six were sent, the sixth of them too early for a machine that is not slow.
    expect(counted.mayTry ? counted.failures : 6).toBeGreaterThanOrEqual(6);
    const events = service.log.map((line) => JSON.parse(line) as Record<string, unknown>);
    const ofUser = events.filter((one) => one['userId'] === account.user.id).map((one) => one['event']);
    for (const event of ['email-change-failed', 'account-deletion-failed', 'password-change-failed']) {
      expect(ofUser).toContain(event);
    }
  });

  test('for a deletion end in a 429 that says when to come back', async () => {
    const wrong = { method: 'DELETE', json: { current_password: 'wrong' } };
    let last = await call(wrong);
    let tries = 0;
    for (; last.status === 400; last = await call(wrong)) tries += 1;
    expect(tries).toBeGreaterThanOrEqual(5);
    expect(last).toMatchObject({ status: 429, headers: { 'Retry-After': expect.stringMatching(/^[1-9]\d*$/) } });
  });

  test('are forgotten with the right one', async () => {
    for (let guess = 0; guess < 4; guess += 1) await call({ json: { email, current_password: 'wrong' } });
    await changeEmail(service, pair, account, null);
    for (let guess = 0; guess < 4; guess += 1) {
      expect(await call({ json: { email, current_password: 'wrong' } })).toMatchObject({ status: 400 });
    }
  });
});

describe('a deletion', () => {
  const remove = () => call({ method: 'DELETE', json: { current_password: account.password } });

  test('takes the account, its address and its sessions away, and says so by mail', async () => {
    await verifyAddress(service, account, email);
    const other = await service.login(account);
    expect(await remove()).toMatchObject({ status: 204, body: {} });
    const { store, client, names } = service.tables;
    expect(await stored()).toBeUndefined();
    expect(await store.findLogin(account.username)).toBeUndefined();
    expect(await ownerOf(email)).toBeUndefined();
    expect((await store.listSessions(account.user.id, 50)).sessions).toEqual([]);
    const raw = await client.send(new GetCommand({ TableName: names.users, Key: userKey(account.user.id) }));
    expect(raw.Item).toBeUndefined();
    expect(await service.call('refresh', { json: { refresh: other.refresh } })).toMatchObject({ status: 401 });
    await expect(service.login(account)).rejects.toThrow('401');
    expect(mailsTo(service.mails, email, 'Your account was deleted')).toHaveLength(1);
    expect(
      service.log.filter((line) => line.includes('"AccountDeleted":1') && line.includes(account.user.id)),
    ).toHaveLength(1);
    expect(await remove()).toEqual(badToken('Given token not valid for any token type'));
  });

  test('frees the name and the address for somebody else', async () => {
    await verifyAddress(service, account, email);
    await remove();
    const next = await service.account({ username: account.username });
    expect(await verifyAddress(service, next, email)).toMatchObject({ status: 200 });
  });

  test.each([
    [{}, 'This field is required.'],
    [{ current_password: null }, 'This field may not be null.'],
    [{ current_password: 'wrong' }, 'Invalid password.'],
  ])('with %j is refused, and nothing ends', async (json, message) => {
    expect(await call({ method: 'DELETE', json })).toEqual(invalid({ current_password: [message] }));
    expect(await stored()).toEqual(account.user);
    expect((await service.call('profile', { authorizer: authorizerContext(pair.access) })).status).toBe(200);
  });

  test('cut off by an outage leaves an account that can be deleted again', async () => {
    for (const failing of ['Query', 'TransactWriteItems']) {
      service.proxy.disturb(({ operation }) => (operation === failing ? 'fail' : undefined));
      expect(await remove()).toMatchObject({ status: 503 });
      service.proxy.disturb(() => undefined);
      expect((await service.call('profile', { authorizer: authorizerContext(pair.access) })).status).toBe(401);
      pair = await service.login(account);
    }
    expect(await remove()).toMatchObject({ status: 204 });
    expect(await stored()).toBeUndefined();
  });

  test('of many sessions removes every one of them', async () => {
    for (let more = 0; more < 30; more += 1) await service.login(account);
    await remove();
    expect((await service.tables.store.listSessions(account.user.id, 50)).sessions).toEqual([]);
  });
});

describe('an export', () => {
  test('is a download of everything that is kept, and of nothing that opens the account', async () => {
    await verifyAddress(service, account, email);
    const ended = await service.login(account, { address: '198.51.100.1', userAgent: 'phone/2' });
    await service.call('blacklist', { json: { refresh: ended.refresh } });
    const answer = await service.call('account', {
      method: 'GET',
      resource: '/api/profile/export',
      authorizer: authorizerContext(pair.access),
    });
    expect([answer.status, answer.headers]).toEqual([
      200,
      { ...JSON_HEADERS, 'Content-Disposition': 'attachment; filename="account.json"' },
    ]);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const session = { id: expect.any(String), created_at: time, last_used_at: time, expires_at: time };
    const here = { ...session, active: true, ended_at: null, address: '203.0.113.7', user_agent: 'test/1' };
    expect(answer.body).toEqual({
      exported_at: time,
      profile: {
        id: account.user.id,
        username: account.username,
        display_name: null,
        email,
        email_verified: true,
        pending_email: null,
        roles: [],
        created_at: '2023-11-14T22:13:20Z',
      },
      sessions: [
        { ...session, active: false, ended_at: time, address: '198.51.100.1', user_agent: 'phone/2' },
        here,
        here,
      ],
    });
    expect(answer.text).not.toMatch(/bcrypt|\$2b\$|passwordHash/);
  });

  test('has more sessions than fit into one reading', async () => {
    const [one] = (await service.tables.store.listSessions(account.user.id, 1)).sessions;
    const more = Array.from({ length: 120 }, () => ({ ...one!, sessionId: randomUUID() as never }));
    await Promise.all(more.map((session) => service.tables.store.setSession(session)));
    const { body } = await service.call('account', { method: 'GET', authorizer: authorizerContext(pair.access) });
    expect(body['sessions']).toHaveLength(121);
  });
});

test('nothing secret was logged', async () => {
  await verifyAddress(service, account, email);
  const tokens = service.mails.filter(({ text }) => /[\w-]{43}/.test(text)).map(tokenIn);
  expect(tokens.length).toBeGreaterThan(0);
  const secrets = [account.password, account.username, pair.access, pair.refresh, email, ...tokens];
  expectNoSecretsIn(service.log, service.keys, secrets);
});
