import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { SignJWT, importJWK } from 'jose';
import { signingRingFrom } from '../../../functions/shared/token/key-ring.ts';
import { newKeyTexts, type KeyTexts } from '../../support/keys.ts';

const ARN = 'arn:aws:execute-api:us-east-1:123456789012:abc123/v1/GET/api/profile';
let keys: KeyTexts;
let server: Server;
let served: { status: number; text: string };
let fetches: number;
let decide: (token: string) => Promise<{ effect: string | undefined; context: unknown; resource: unknown }>;

beforeAll(async () => {
  keys = await newKeyTexts();
  server = createServer((_request, response) => {
    fetches += 1;
    response.writeHead(served.status).end(served.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  process.env['ISSUER'] = 'https://issuer.example/v1';
  process.env['JWKS_URL'] = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/`;
  const { handler } = await import('../../../functions/authorizer/handler.ts');
  decide = async (authorizationToken) => {
    const verdict = await handler({ type: 'TOKEN', authorizationToken, methodArn: ARN });
    const [statement] = verdict.policyDocument.Statement;
    const resource = statement !== undefined && 'Resource' in statement ? statement.Resource : undefined;
    return { effect: statement?.Effect, context: verdict.context, resource };
  };
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  served = { status: 200, text: keys.published };
  fetches = 0;
});

const now = () => Math.floor(Date.now() / 1000);
const goodClaims = () => ({
  iss: 'https://issuer.example/v1',
  aud: 'latchkey',
  sub: 'ada',
  client_id: 'latchkey',
  iat: now(),
  exp: now() + 900,
  jti: 'one',
  sid: 'session',
  token_type: 'access',
  user_id: 'ada',
});

async function token(claims: object = {}, header: object = {}): Promise<string> {
  const [signing] = signingRingFrom(keys.signing);
  if (signing === undefined) throw new Error('no key');
  return new SignJWT({ ...goodClaims(), ...claims })
    .setProtectedHeader({ alg: signing.alg, typ: 'at+jwt', kid: signing.kid, ...header })
    .sign(await importJWK(signing.privateJwk, signing.alg));
}

describe('the authorizer', () => {
  test('fails, and denies nobody, while no key set can be had', async () => {
    served = { status: 503, text: '' };
    await expect(decide(`Bearer ${await token()}`)).rejects.toThrow('The authorizer could not decide.');
    // A cool-down of 30 seconds has begun: nobody's forgeries can make it fetch again.
    for (let time = 0; time < 20; time += 1) {
      await expect(decide(`Bearer ${await token({}, { kid: `forged-${time}` })}`)).rejects.toThrow();
    }
    expect(fetches).toBe(1);
  });
});

describe('the authorizer with a key set', () => {
  beforeAll(async () => {
    // The cool-down of the test before is over in a new process; here, a new copy of the module stands for it.
    const { jest } = await import('@jest/globals');
    jest.resetModules();
    const { handler } = await import('../../../functions/authorizer/handler.ts');
    decide = async (authorizationToken) => {
      const verdict = await handler({ type: 'TOKEN', authorizationToken, methodArn: ARN });
      const [statement] = verdict.policyDocument.Statement;
      const resource = statement !== undefined && 'Resource' in statement ? statement.Resource : undefined;
      return { effect: statement?.Effect, context: verdict.context, resource };
    };
  });

  test('lets a good token in to the whole API and hands on who it speaks for', async () => {
    const good = await token({ roles: ['admin'], scope: 'read' });
    const { exp } = goodClaims();
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const { effect, resource, context } = await decide(`${scheme} ${good}`);
      expect([effect, resource]).toEqual(['Allow', 'arn:aws:execute-api:us-east-1:123456789012:abc123/v1/*']);
      expect(context).toEqual({ sub: 'ada', sid: 'session', exp, scope: 'read', roles: '["admin"]' });
    }
  });

  test.each<[string, object, object]>([
    ['another issuer', { iss: 'https://issuer.example' }, {}],
    ['another audience', { aud: 'other' }, {}],
    ['several audiences', { aud: ['latchkey', 'other'] }, {}],
    ['an expiry that is now', { iat: 1, exp: 2 }, {}],
    ['a life that is too long', { exp: now() + 5_000 }, {}],
    ['an expiry before its making', { iat: now() + 50, exp: now() + 40 }, {}],
    ['an iat far in the future', { iat: now() + 120, exp: now() + 180 }, {}],
    ['an object for sub', { sub: {} }, {}],
    ['an empty sub', { sub: '' }, {}],
    ['a sub that is no id', { sub: 'a/b', user_id: 'a/b' }, {}],
    ['a sid that is no id', { sid: 'a/b' }, {}],
    ['another user_id', { user_id: 'eve' }, {}],
    ['the type of a refresh token', { token_type: 'refresh' }, {}],
    ['roles that are no list', { roles: 'admin' }, {}],
    ['roles that are no texts', { roles: [1] }, {}],
    ['a scope that is no text', { scope: 1 }, {}],
    ['no jti', { jti: undefined }, {}],
    ['another typ', {}, { typ: 'JWT' }],
    ['the typ of a refresh token', {}, { typ: 'rt+jwt' }],
    ['no kid', {}, { kid: undefined }],
    ['an unknown kid', {}, { kid: 'unknown' }],
    ['another member of the header', {}, { jku: 'https://evil.example' }],
  ])('denies %s', async (_what, claims, header) => {
    const { effect, context } = await decide(`Bearer ${await token(claims, header)}`);
    expect([effect, context]).toEqual(['Deny', undefined]);
  });

  test('denies what is no token of ours at all', async () => {
    const good = await token();
    const [header = '', payload = '', signature = ''] = good.split('.');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt","kid":"x"}').toString('base64url');
    const notJson = Buffer.from('not json').toString('base64url');
    const binary = Buffer.from([0xff, 0xfe]).toString('base64url');
    for (const bad of [
      '',
      'garbage',
      '..',
      `${good}=`,
      ` ${good} x`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${good}.x`,
      `${none}.${payload}.${signature}`,
      `${notJson}.${payload}.${signature}`,
      `${binary}.${payload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : 'A'}`,
      `${header}.${'A'.repeat(9_000)}.${signature}`,
    ]) {
      expect([bad, (await decide(`Bearer ${bad}`)).effect]).toEqual([bad, 'Deny']);
    }
    expect((await decide(`Basic ${good}`)).effect).toBe('Deny');
  });

  test('goes on with the keys it has when their URL fails', async () => {
    served = { status: 500, text: '' };
    expect((await decide(`Bearer ${await token()}`)).effect).toBe('Allow');
    expect(fetches).toBe(0);
  });
});
