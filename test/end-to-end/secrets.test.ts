import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPrivateKey } from 'node:crypto';
import { listIn, membersOfJson } from '../../functions/shared/domain/unknown.ts';
import { SIGNING_ALGORITHMS } from '../../functions/shared/domain/settings.ts';
import { newKeyTexts } from '../support/keys.ts';
import { aGateway, type TestGateway } from '../support/local-gateway.ts';
import { needlesIn, secretsIn } from '../support/secret-search.ts';

// Every test that runs on such a gateway ends with this search; this one makes sure that it sees something.
let api: TestGateway;

beforeAll(async () => {
  api = await aGateway({ SIGNING_ALGORITHM: 'RS256' });
  await api.user('ada');
});
afterAll(() => api.close());

test('no private key, refresh secret or pepper shows in a bundle, an environment, a log line or an answer', async () => {
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const { access, refresh } = await api.login('ada');
  await api.post('/api/token', { username: 'ada', password: 'not the password of ada' });
  await api.post('/api/token', '{');
  await api.get('/api/profile', bearer(access));
  await api.get('/api/profile', bearer(`${access}x`));
  await api.get('/api/sessions', bearer(access));
  await api.post('/api/token/refresh', { refresh });
  await api.post('/api/token/refresh', { refresh: `${refresh}x` });
  await api.post('/api/token/verify', { token: access });
  await api.post('/api/token/verify', { token: refresh });
  await api.post('/api/token/blacklist', { refresh });
  for (const name of ['jwks.json', 'openid-configuration', 'oauth-authorization-server']) {
    expect((await api.get(`/.well-known/${name}`)).status).toBe(200);
  }
  await api.get('/nowhere');

  const needles = api.secrets();
  expect(needles.map(({ name }) => name.replace(/^.*keys\.0\./, '')).toSorted()).toEqual(
    ['d', 'dp', 'dq', 'p', 'q', 'qi'].map((name) => `privateJwk.${name}`).concat('secret', 'secret'),
  );
  const { logs = '', answers = '', 'the cloud assembly': assembly = '' } = api.readable();
  // What should be there is: the search looks at the right texts.
  expect(logs).toContain('"refused"');
  expect(answers).toContain('"kty":"RSA"');
  expect(assembly).toContain('SIGNING_KEYS_SECRET');
  expect(assembly).toContain('exports');
  for (const text of [logs, answers, assembly]) expect(secretsIn(text, needles)).toEqual([]);
});

test.each(SIGNING_ALGORITHMS)(
  'a %s key would be found as a JWK, as PEM, as DER in hex and inside of a log line',
  async (alg) => {
    const { signing } = await newKeyTexts(alg);
    const needles = needlesIn({ signing });
    const [key] = listIn(membersOfJson(signing), 'keys');
    const jwk = Object(key?.['privateJwk']) as Record<string, string>;
    const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
    const der = privateKey.export({ type: 'pkcs8', format: 'der' });
    for (const text of [
      signing,
      String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
      der.toString('hex').toUpperCase(),
      `?key=${der.toString('base64url')}`,
      JSON.stringify({ event: 'oops', error: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) }),
      Buffer.from(JSON.stringify(jwk)).toString('base64'),
      `half of it: ${jwk['d']?.slice(0, 30) ?? ''}`,
    ]) {
      expect(secretsIn(text, needles)).toContain('signing.keys.0.privateJwk.d');
    }
    const others = await newKeyTexts(alg);
    expect(secretsIn(others.signing, needles)).toEqual([]);
  },
);

test('a refresh secret and a pepper would be found, and a secret that is no ring', async () => {
  const { refresh, peppers } = await newKeyTexts();
  const needles = needlesIn({ refresh, peppers, other: 'a random text that fills a new secret' });
  expect(secretsIn(`${refresh}${peppers} a random text that fills a new secret.`, needles)).toEqual([
    'refresh.keys.0.secret',
    'peppers.keys.0.secret',
    'other',
  ]);
});
