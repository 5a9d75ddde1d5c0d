import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aGateway, PASSWORD, type TestGateway } from '../support/local-gateway.ts';
import { nextMail, tokenIn } from '../support/verified.ts';

const EMAIL = 'Ada@example.com';
const NEW = 'a horse of another colour';

let api: TestGateway;
beforeAll(async () => {
  api = await aGateway({ RESET_ANSWER_MILLISECONDS: '1', VERIFY_LINK: 'https://app.example/verify#token={token}' });
  await api.user('ada');
});
afterAll(() => api.close());

const bearer = ({ access }: { access: string }) => ({ Authorization: `Bearer ${access}` });
const loginStatus = async (password: string) => (await api.post('/api/token', { username: 'ada', password })).status;

test('an address is verified, opens the account when the password is forgotten, and goes with the account', async () => {
  let pair = await api.login('ada');
  const asked = await api.send('PATCH', '/api/profile', { email: EMAIL, current_password: PASSWORD }, bearer(pair));
  expect([asked.status, asked.body['pending_email'], asked.body['email']]).toEqual([200, EMAIL, null]);

  const confirmation = await nextMail(api.mails, EMAIL, 'Confirm your email address');
  expect(confirmation.from).toBe('latchkey@example.com');
  expect(confirmation.text).toContain('https://app.example/verify#token=');
  const token = tokenIn(confirmation);
  expect(await api.post('/api/email/verify', { token })).toMatchObject({ status: 200, text: '{}' });
  expect(await api.post('/api/email/verify/', { token })).toMatchObject({ status: 308 });
  expect(await api.post('/api/email/verify', { token })).toMatchObject({
    status: 400,
    body: { token: ['Invalid or expired token.'] },
  });
  const { body: profile } = await api.get('/api/profile', bearer(pair));
  expect(profile).toMatchObject({ email: EMAIL, email_verified: true, pending_email: null });

  // What a caller can see of an answer: all but the date and the id of the request.
  const seen = async (email: string) => {
    const { status, headers, text } = await api.post('/api/password/reset', { email });
    const names = [...headers.keys()].filter((name) => name !== 'date' && !/request-?id|trace/.test(name));
    return { status, text, headers: names.map((name) => [name, headers.get(name)]) };
  };
  const known = await seen('ada@EXAMPLE.com');
  expect(known).toMatchObject({ status: 200, text: '{}' });
  expect(await seen('nobody@example.com')).toEqual(known);

  const reset = tokenIn(await nextMail(api.mails, EMAIL, 'Choose a new password'));
  const confirm = (new_password: string) => api.post('/api/password/reset/confirm', { token: reset, new_password });
  expect(await confirm('short')).toMatchObject({ status: 400, body: { new_password: [expect.any(String)] } });
  const answers = await Promise.all([confirm(NEW), confirm(NEW), confirm(NEW), confirm(NEW)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
  expect((await api.post('/api/token/refresh', { refresh: pair.refresh })).status).toBe(401);
  expect((await api.get('/api/profile', bearer(pair))).status).toBe(401);
  expect([await loginStatus(PASSWORD), await loginStatus(NEW)]).toEqual([401, 200]);
  await nextMail(api.mails, EMAIL, 'Your password was changed');

  const { body } = await api.post('/api/token', { username: 'ada', password: NEW });
  pair = { access: String(body['access']), refresh: String(body['refresh']) };
  const exported = await api.get('/api/profile/export', bearer(pair));
  expect(exported.headers.get('content-disposition')).toBe('attachment; filename="account.json"');
  expect(exported.body).toMatchObject({ profile: { username: 'ada', email: EMAIL }, sessions: expect.any(Array) });

  const refused = await api.send('DELETE', '/api/profile', { current_password: 'wrong' }, bearer(pair));
  expect(refused).toMatchObject({ status: 400, body: { current_password: ['Invalid password.'] } });
  const deleted = await api.send('DELETE', '/api/profile', { current_password: NEW }, bearer(pair));
  expect([deleted.status, deleted.text]).toEqual([204, '']);
  expect((await api.get('/api/profile', bearer(pair))).status).toBe(401);
  expect(await loginStatus(NEW)).toBe(401);
  await nextMail(api.mails, EMAIL, 'Your account was deleted');
});

test('other methods are 405, and a preflight names what there is', async () => {
  const wrong = await api.get('/api/password/reset');
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  const { status, headers } = await api.send('OPTIONS', '/api/profile', undefined);
  expect(status).toBe(204);
  const methods = headers.get('access-control-allow-methods')?.split(/, ?/) ?? [];
  expect(methods.filter((method) => method !== 'OPTIONS').sort()).toEqual(['DELETE', 'GET', 'PATCH']);
});

test('nobody gets to an account without a token', async () => {
  for (const [method, path] of [
    ['PATCH', '/api/profile'],
    ['DELETE', '/api/profile'],
  ] as const) {
    expect((await api.send(method, path, {})).status).toBe(401);
  }
  expect((await api.get('/api/profile/export')).status).toBe(401);
});

test('no token of a mail is in a log', () => {
  const tokens = api.mails.filter(({ subject }) => /Confirm|Choose/.test(subject)).map(tokenIn);
  expect(tokens.length).toBeGreaterThanOrEqual(2);
  for (const token of tokens) expect(api.logs.join('\n')).not.toContain(token);
});
