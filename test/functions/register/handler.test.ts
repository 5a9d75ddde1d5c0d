import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { count } from '../../support/counts.ts';
import { expectNoSecretsIn } from '../../support/secrecy.ts';
import {
  authorizerContext,
  JSON_HEADERS,
  PROBLEM_HEADERS,
  problemOf,
  startService,
  type Service,
} from '../../support/service.ts';
import { naughtyStrings } from '../../support/vectors.ts';
import { mailsTo, tokenIn } from '../../support/verified.ts';

const PASSWORD = 'correct horse battery staple';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const register = async (json: unknown) => {
  const { status, headers, body } = await service.call('register', { json });
  return { status, headers, body };
};
const newName = () => `user-${randomUUID()}`;

test('makes an account that logs in, and answers 201 with the profile', async () => {
  const username = `Ada-${randomUUID()}`;
  const wanted = { username, password: PASSWORD, email: 'ada@example.com', display_name: 'Ada 👩‍🔬' };
  const { status, headers, body } = await register(wanted);
  expect({ status, headers, body }).toEqual({
    status: 201,
    headers: JSON_HEADERS,
    body: {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      username,
      display_name: 'Ada 👩‍🔬',
      email: null,
      email_verified: false,
      pending_email: 'ada@example.com',
      roles: [],
      created_at: expect.any(String),
    },
  });
  const pair = await service.call('login', { json: { username: username.toUpperCase(), password: PASSWORD } });
  expect(pair.status).toBe(200);
});

test('takes a form, and neither email nor display name where there is none', async () => {
  const { status, body } = await service.call('register', { form: { username: newName(), password: PASSWORD } });
  expect(status).toBe(201);
  expect(body).toMatchObject({ email: null, display_name: null });
  const none = await register({ username: newName(), password: PASSWORD, email: null });
  expect(none.status).toBe(201);
});

test('gives nobody roles, whatever they ask for', async () => {
  const { status, body } = await register({ username: newName(), password: PASSWORD, roles: ['admin'], epoch: 9 });
  expect(status).toBe(201);
  expect(body).toMatchObject({ roles: [] });
});

describe('a name that is taken', () => {
  const taken = {
    status: 409,
    headers: PROBLEM_HEADERS,
    body: problemOf(409, 'Conflict', 'The username is taken.', {
      code: 'username_taken',
      username: ['A user with that username already exists.'],
    }),
  };

  test('is a 409 in every case of its letters, and its owner’s password stays', async () => {
    const username = newName();
    await register({ username, password: PASSWORD });
    for (const again of [username, username.toUpperCase()]) {
      expect(await register({ username: again, password: 'somebody else’s password' })).toEqual(taken);
    }
    await expect(service.call('login', { json: { username, password: PASSWORD } })).resolves.toMatchObject({
      status: 200,
    });
  });

  test('is taken by one of 16 at once, with one account in the end', async () => {
    const username = newName();
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, each) => register({ username, password: `${PASSWORD} ${each}` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(15).fill(409)]);
    const winner = answers.findIndex(({ status }) => status === 201);
    const logins = await Promise.all(
      [winner, (winner + 1) % 16].map((each) =>
        service.call('login', { json: { username, password: `${PASSWORD} ${each}` } }),
      ),
    );
    expect(logins.map(({ status }) => status)).toEqual([200, 401]);
  });
});

describe('an email address', () => {
  const CONFIRM = 'Confirm your email address';
  const newEmail = () => `Ada.${randomUUID()}@example.com`;
  const signUp = (email: string) => register({ username: newName(), password: PASSWORD, email });

  test('is pending until the code that was mailed to it comes back', async () => {
    const [username, email] = [newName(), newEmail()];
    const { status, body } = await register({ username, password: PASSWORD, email });
    expect([status, body['email'], body['pending_email']]).toEqual([201, null, email]);
    const mails = mailsTo(service.mails, email, CONFIRM);
    expect(mails).toMatchObject([{ from: 'auth@example.com', to: [email] }]);
    expect(mails[0]!.text).toContain(username);
    const verified = await service.call('verify-email', { json: { token: tokenIn(mails[0]!) } });
    expect([verified.status, verified.body]).toEqual([200, {}]);
    const { access } = await service.login({ username, password: PASSWORD });
    const profile = await service.call('profile', { authorizer: authorizerContext(access) });
    expect(profile.body).toMatchObject({ email, email_verified: true, pending_email: null });
  });

  test('that another account has is answered and mailed like any other, and stays the other’s', async () => {
    const email = newEmail();
    await signUp(email);
    await service.call('verify-email', { json: { token: tokenIn(mailsTo(service.mails, email, CONFIRM)[0]!) } });
    expect(await signUp(email)).toMatchObject({ status: 201, body: { email: null, pending_email: email } });
    const second = tokenIn(mailsTo(service.mails, email, CONFIRM)[1]!);
    expect(await service.call('verify-email', { json: { token: second } })).toMatchObject({ status: 409 });
  });

  test('gets a few mails, in whatever case it is written, and then whoever asks has to wait', async () => {
    const email = newEmail();
    let last = await signUp(email);
    let mails = 0;
    // The waits double, so that whatever the machine's speed one of them is met.
    for (; last.status === 201; mails += 1) last = await signUp(mails % 2 === 0 ? email.toUpperCase() : email);
    expect(mails).toBeGreaterThanOrEqual(5);
    expect([last.status, last.headers]).toEqual([
      429,
      { ...PROBLEM_HEADERS, 'Retry-After': expect.stringMatching(/^[1-9]\d*$/) },
    ]);
    const sent = [email, email.toUpperCase()].flatMap((one) => mailsTo(service.mails, one, CONFIRM));
    expect(sent).toHaveLength(mails);
  });

  test('whose mail or code fails leaves an account that stands', async () => {
    await withSetting('SES_ENDPOINT', 'http://127.0.0.1:9', async () => {
      expect(await signUp(newEmail())).toMatchObject({ status: 201 });
    });
    expect(service.log.filter((line) => line.includes('"MailFailed":1'))).toHaveLength(1);
    const [username, email] = [newName(), newEmail()];
    service.proxy.disturb(({ operation }) => (operation === 'PutItem' ? 'fail' : undefined));
    expect(await register({ username, password: PASSWORD, email })).toMatchObject({ status: 201 });
    service.proxy.disturb(() => undefined);
    expect(mailsTo(service.mails, email, CONFIRM)).toEqual([]);
    expect(await service.call('login', { json: { username, password: PASSWORD } })).toMatchObject({ status: 200 });
  });

  test('is refused where no mail can be sent, and the account is not made', async () => {
    const username = newName();
    await withSetting('MAIL_FROM', 'none', async () => {
      expect(await register({ username, password: PASSWORD, email: newEmail() })).toMatchObject({
        status: 400,
        body: { email: ['No mail can be sent here to confirm an address.'] },
      });
      expect(await register({ username, password: PASSWORD })).toMatchObject({ status: 201 });
    });
  });

  /** Runs with the function started under another setting. */
  async function withSetting(name: string, value: string, run: () => Promise<void>): Promise<void> {
    const usual = process.env[name];
    process.env[name] = value;
    await service.restart('register');
    process.env[name] = usual;
    try {
      await run();
    } finally {
      await service.restart('register');
    }
  }
});

test('says everything that is wrong at once', async () => {
  expect(
    await register({ username: 'ａｄｍｉｎ', password: 'short', email: 'nowhere', display_name: '\u0000' }),
  ).toMatchObject({
    status: 400,
    body: {
      username: [expect.stringContaining('3 to 128 characters')],
      password: [expect.stringContaining('at least 15 characters')],
      email: ['Enter a valid email address.'],
      display_name: ['Null characters are not allowed.'],
    },
  });
  expect(await register({})).toMatchObject({
    status: 400,
    body: { username: ['This field is required.'], password: ['This field is required.'] },
  });
  const name = 'the-same-as-the-password';
  expect(await register({ username: name, password: name.toUpperCase() })).toMatchObject({
    status: 400,
    body: { password: ['The password is the same as the username.'] },
  });
});

test.each(['аdmin', 'admın', 'ａdmin', 'admin\u200b', 'ad min', 'a\u0301dmin', 'ⓐdmin', 'admin\u0000'])(
  'no lookalike of admin becomes a second one: %j',
  async (username) => {
    expect((await register({ username, password: PASSWORD })).status).toBe(400);
  },
);

test('takes or refuses every naughty string with a reason, and gives back exactly what it took', async () => {
  const all = naughtyStrings();
  const every = Math.ceil(all.length / count(40, all.length));
  for (const text of all.filter((_, at) => at % every === 0)) {
    const asName = await register({ username: text, password: PASSWORD });
    expect([201, 400, 409]).toContain(asName.status);
    if (asName.status === 201) expect(asName.body['username']).toBe(text);
    if (asName.status === 400) expect(asName.body['username']).toEqual([expect.any(String)]);
    const shown = await register({ username: newName(), password: PASSWORD, display_name: text });
    expect([201, 400]).toContain(shown.status);
    if (shown.status === 201) expect(shown.body['display_name']).toBe(text);
    if (shown.status === 400) expect(shown.body['display_name']).toEqual([expect.any(String)]);
    const username = newName();
    const withIt = await register({ username, password: text });
    expect([201, 400]).toContain(withIt.status);
    if (withIt.status === 201) {
      expect((await service.call('login', { json: { username, password: text } })).status).toBe(200);
    } else {
      expect(Array.isArray(withIt.body['password'])).toBe(true);
    }
  }
});

test('nothing secret was logged', async () => {
  const username = newName();
  await register({ username, password: PASSWORD });
  await register({ username, password: PASSWORD });
  expectNoSecretsIn(service.log, service.keys, [PASSWORD, username]);
});
