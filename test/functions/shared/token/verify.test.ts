import { beforeAll, describe, expect, test } from '@jest/globals';
import { createPublicKey } from 'node:crypto';
import { after } from '../../../../functions/shared/domain/time.ts';
import { publicKeysOf } from '../../../../functions/shared/token/public-keys.ts';
import { verifierWith } from '../../../../functions/shared/token/verify.ts';
import { aSession } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';
import { macForgerWith, segment } from '../../../support/forge.ts';
import { anIssuer, aSecret, goodClaims, refreshTokensOf, TERMS, type Issuer } from '../../../support/tokens.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await anIssuer();
});

/** Why a token is refused; undefined where it is not. */
const refusalOf = (token: string, age = 0): Promise<string | undefined> =>
  issuer.verify(token, after(START, age)).then(
    () => undefined,
    (error: unknown) => String(Object(error)['reason' as never]),
  );

const withHeader = (header: unknown) => refusalOf(issuer.forge(header, goodClaims));
const withClaims = (changes: object, age = 0) =>
  refusalOf(issuer.forge(issuer.header, { ...goodClaims, ...changes }), age);

test('a token as ours are is good, so that what follows is refused for what it changes', async () => {
  expect(await refusalOf(issuer.forge(issuer.header, goodClaims))).toBeUndefined();
});

describe('the shape of a token', () => {
  const parts = () => issuer.forge(issuer.header, goodClaims).split('.') as [string, string, string];

  test.each([
    ['nothing', () => ''],
    ['a word', () => 'garbage'],
    ['two dots', () => '..'],
    ['no signature', () => parts().slice(0, 2).join('.')],
    ['an empty signature', () => `${parts().slice(0, 2).join('.')}.`],
    ['an empty payload', () => `${parts()[0]}..${parts()[2]}`],
    ['a fourth segment', () => `${parts().join('.')}.AAAA`],
    ['five segments, as encrypted tokens have', () => `${parts().join('.')}.AAAA.AAAA`],
    ['a space before it', () => ` ${parts().join('.')}`],
    ['a line end behind it', () => `${parts().join('.')}\n`],
    [
      'a JSON serialization',
      () => JSON.stringify({ protected: parts()[0], payload: parts()[1], signature: parts()[2] }),
    ],
    ['NUL', () => `${parts().join('.')}\0`],
    ['a lone surrogate', () => `${parts().join('.')}\ud800`],
  ])('is not %s', async (_, token) => {
    expect(await refusalOf(token())).toBe('token-malformed');
  });

  describe.each([0, 1, 2])('segment %i', (at) => {
    const changed = (change: (part: string) => string) =>
      parts()
        .map((part, index) => (index === at ? change(part) : part))
        .join('.');

    /** Signed as it stands, so that nothing is wrong but the encoding. */
    const signedAsChanged = (change: (part: string) => string) => {
      const [header, payload] = parts();
      return at === 2
        ? changed(change)
        : issuer.signSegments(
            ...([header, payload].map((part, index) => (index === at ? change(part) : part)) as [string, string]),
          );
    };

    test.each([
      ['white space', (part: string) => `${part.slice(0, 4)} ${part.slice(4)}`],
      ['a line end', (part: string) => `${part}\n`],
      ['a tab', (part: string) => `\t${part}`],
      ['padding', (part: string) => `${part}==`],
      ['the other alphabet', (part: string) => `${part}+/`],
      ['a stray character', (part: string) => `${part}!`],
      ['a length that base64url never has', (part: string) => `${part.slice(0, part.length - (part.length % 4))}A`],
    ])('has no %s, not even signed like that', async (_, change) => {
      expect(await refusalOf(changed(change))).toBe('token-malformed');
      expect(await refusalOf(signedAsChanged(change))).toBe('token-malformed');
    });
  });

  test('has no last character whose spare bits say something, in any segment', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const stray = (part: string) => {
      const last = alphabet.indexOf(part.at(-1) ?? '');
      return part.slice(0, -1) + String(alphabet[last + 1]);
    };
    // Two bytes over a multiple of three, so that the last character has spare bits. 64 bytes of signature do too.
    const payload = segment(
      `${JSON.stringify(goodClaims)}${' '.repeat((4 - (JSON.stringify(goodClaims).length % 3)) % 3)}`,
    );
    const header = segment(
      `${JSON.stringify(issuer.header)}${' '.repeat((4 - (JSON.stringify(issuer.header).length % 3)) % 3)}`,
    );
    const [, , signature] = parts();
    expect([header, payload, signature].map((part) => part.length % 4)).toEqual([2, 2, 2]);
    expect(await refusalOf(issuer.signSegments(header, payload))).toBeUndefined();
    expect(await refusalOf(issuer.signSegments(stray(header), payload))).toBe('token-malformed');
    expect(await refusalOf(issuer.signSegments(header, stray(payload)))).toBe('token-malformed');
    expect(await refusalOf(`${parts().slice(0, 2).join('.')}.${stray(signature)}`)).toBe('token-malformed');
  });

  test('has 8,192 characters at the most, and a megabyte is refused unread', async () => {
    const ofLength = (length: number) => {
      const bare = issuer.forge(issuer.header, { ...goodClaims, jti: 'x' });
      // Three characters of padding claim make four of the token; the header's white space makes up the rest.
      for (let spaces = 0; spaces < 4; spaces += 1) {
        const header = segment(JSON.stringify(issuer.header) + ' '.repeat(spaces));
        const missing = Math.floor(((length - bare.length - spaces * 2) * 3) / 4);
        for (const jti of [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((more) => 'x'.repeat(missing + more))) {
          const token = issuer.signSegments(header, segment({ ...goodClaims, jti }));
          if (token.length === length) return token;
        }
      }
      throw new Error(`no token of ${length} characters`);
    };
    expect(await refusalOf(ofLength(8_192))).toBeUndefined();
    expect(await refusalOf(ofLength(8_193))).toBe('token-malformed');
    expect(await refusalOf(issuer.forge(issuer.header, { ...goodClaims, jti: 'x'.repeat(1_000_000) }))).toBe(
      'token-malformed',
    );
    expect(await refusalOf('.'.repeat(1_000_000))).toBe('token-malformed');
  });
});

describe('the header', () => {
  test.each([
    ['no kid, also where there is only one key', { kid: undefined }],
    ['an empty kid', { kid: '' }],
    ['a kid that is a number', { kid: 1 }],
    ['a kid that is null', { kid: null }],
    ['no typ', { typ: undefined }],
    ['no alg', { alg: undefined }],
    ['an alg that is a list', { alg: ['ES256'] }],
    ['a critical extension, even one that changes nothing', { crit: ['b64'], b64: true }],
    ['an empty crit', { crit: [] }],
    ['b64', { b64: true }],
    ['compression', { zip: 'DEF' }],
    ['a key of its own', { jwk: { kty: 'EC' } }],
    ['a place to fetch a key from', { jku: 'https://evil.example/jwks.json' }],
    ['a certificate', { x5c: ['AAAA'] }],
    ['a place to fetch a certificate from', { x5u: 'https://evil.example/x5c' }],
    ['a content type', { cty: 'JWT' }],
    ['a claim', { iss: TERMS.issuer }],
  ])('has not %s', async (_, changes) => {
    expect(await withHeader({ ...issuer.header, ...changes })).toBe('token-malformed');
  });

  test('has no member called __proto__, and none through it', async () => {
    const text = JSON.stringify(issuer.header);
    expect(await withHeader(text.replace('{', '{"__proto__":{},'))).toBe('token-malformed');
    expect(await withHeader(`{"__proto__":${text}}`)).toBe('token-malformed');
    expect(await withHeader(`{"a":1,"b":2,"__proto__":${text}}`)).toBe('token-malformed');
  });

  test.each([
    ['not JSON', 'garbage'],
    ['a list', '["ES256","at+jwt","x"]'],
    ['null', 'null'],
    ['a text', '"at+jwt"'],
    ['empty', '{}'],
    ['nested deeply', `${'['.repeat(3_000)}${']'.repeat(3_000)}`],
  ])('is not %s', async (_, text) => {
    expect(await withHeader(text)).toBe('token-malformed');
  });

  test('has no byte order mark and is valid UTF-8', async () => {
    expect(await withHeader(`\ufeff${JSON.stringify(issuer.header)}`)).toBe('token-malformed');
    const invalid = Buffer.from(JSON.stringify({ ...issuer.header, kid: '~' }));
    invalid[invalid.indexOf('~')] = 0xff;
    expect(await withHeader(invalid)).toBe('token-malformed');
  });

  test.each(['JWT', 'rt+jwt', 'AT+JWT', 'application/at+jwt', 'at+jwt '])(
    'with the typ %j is of another kind',
    async (typ) => {
      expect(await withHeader({ ...issuer.header, typ })).toBe('token-wrong-type');
    },
  );

  test.each(['another', '../../etc/passwd', "' OR 1=1 --", '__proto__', 'constructor'])(
    'with a kid we do not have (%j) is forged',
    async (kid) => {
      expect(await withHeader({ ...issuer.header, kid })).toBe('token-forged');
    },
  );
});

describe('the algorithm', () => {
  test.each(['none', 'None', 'NONE', 'nOnE', ''])('is not %j, with or without a signature', async (alg) => {
    const [, payload, signature] = issuer.forge(issuer.header, goodClaims).split('.');
    const header = segment({ ...issuer.header, alg });
    expect(await refusalOf(`${header}.${payload}.${signature}`)).toMatch(/^token-(forged|malformed)$/);
    expect(await refusalOf(`${header}.${payload}.`)).toBe('token-malformed');
  });

  test('is not HS256 with the public key as its secret, in whatever form that is written down', async () => {
    const [published] = publicKeysOf([issuer.key], START).keys;
    const publicKey = createPublicKey({ key: { ...issuer.key.privateJwk }, format: 'jwk' });
    const secrets = [
      JSON.stringify(published),
      JSON.stringify(publicKeysOf([issuer.key], START)),
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      String(published?.x),
      '',
    ];
    for (const secret of secrets) {
      const forge = macForgerWith({ secret: Buffer.from(secret) });
      expect(await refusalOf(forge({ ...issuer.header, alg: 'HS256' }, goodClaims))).toBe('token-forged');
      expect(await refusalOf(forge(issuer.header, goodClaims))).toBe('token-forged');
    }
  });

  test.each(['RS256', 'PS256', 'EdDSA', 'ES384', 'HS256', 'RSA-OAEP', 'toString'])(
    'is not %s where the key is for ES256',
    async (alg) => {
      expect(await withHeader({ ...issuer.header, alg })).toBe('token-forged');
    },
  );

  test('has no all-zero signature', async () => {
    const [header, payload] = issuer.forge(issuer.header, goodClaims).split('.');
    for (const length of [1, 32, 63, 64, 65, 96]) {
      expect(await refusalOf(`${header}.${payload}.${Buffer.alloc(length).toString('base64url')}`)).toBe(
        'token-forged',
      );
    }
  });
});

describe('the claims', () => {
  const required = Object.keys(goodClaims);

  test.each(required)('have a %s, of the right type', async (name) => {
    for (const value of [undefined, null, '', {}, [], [goodClaims.sub], true, 1.5]) {
      expect(await withClaims({ [name]: value })).toBe('token-forged');
    }
  });

  test.each([
    ['another issuer', { iss: 'https://issuer.example/v2' }],
    ['our issuer with a slash more', { iss: `${TERMS.issuer}/` }],
    ['another audience', { aud: 'other' }],
    ['our audience in another case', { aud: 'API' }],
    ['a list with our audience', { aud: ['api'] }],
    ['a subject that could not be a user', { sub: '../x', user_id: '../x' }],
    ['a subject that is an object', { sub: { toString: 'x' }, user_id: 'x' }],
    ['a subject and a user id that differ', { user_id: 'somebody-else' }],
    ['a session that could not be one', { sid: 'a b' }],
    ['the type of a refresh token', { token_type: 'refresh' }],
    ['roles that are one text', { roles: 'admin' }],
    ['roles that are numbers', { roles: [1] }],
    ['an empty scope', { scope: '' }],
    ['a scope that is a list', { scope: ['a'] }],
    ['times before 1970', { iat: -10, exp: -5 }],
    ['a time of its making that is a text', { iat: String(START) }],
    ['a time of its end that is a text', { exp: String(START + 900) }],
  ])('are not %s', async (_, changes) => {
    expect(await withClaims(changes)).toBe('token-forged');
  });

  test.each([
    ['scope', 'read write'],
    ['roles', ['admin']],
    ['roles', []],
  ])('may have %s', async (name, value) => {
    const token = issuer.forge(issuer.header, { ...goodClaims, [name]: value });
    await expect(issuer.verify(token, START)).resolves.toEqual({ ...goodClaims, [name]: value });
  });

  test('of others are not handed on', async () => {
    const token = issuer.forge(issuer.header, { ...goodClaims, admin: true });
    await expect(issuer.verify(token, START)).resolves.toEqual(goodClaims);
  });

  test.each([
    ['no JSON', 'garbage'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"x"'],
    ['an end at 1e400', JSON.stringify(goodClaims).replace(/"exp":\d+/, '"exp":1e400')],
    ['an end at -1e400', JSON.stringify(goodClaims).replace(/"exp":\d+/, '"exp":-1e400')],
    ['an end beyond exact numbers', JSON.stringify(goodClaims).replace(/"exp":\d+/, '"exp":9007199254740993')],
    ['a byte order mark', `\ufeff${JSON.stringify(goodClaims)}`],
    ['inherited claims', `{"__proto__":${JSON.stringify(goodClaims)}}`],
    ['nested deeply', `${'['.repeat(2_800)}${']'.repeat(2_800)}`],
  ])('are not %s', async (_, payload) => {
    expect(await refusalOf(issuer.forge(issuer.header, payload))).toBe('token-forged');
  });

  test('are valid UTF-8', async () => {
    const payload = Buffer.from(JSON.stringify({ ...goodClaims, jti: '~' }));
    payload[payload.indexOf('~')] = 0xff;
    expect(await refusalOf(issuer.forge(issuer.header, payload))).toBe('token-forged');
  });
});

describe('the times', () => {
  test('a token is good in the second before its end and not in that second: no leeway', async () => {
    expect(await withClaims({}, 899)).toBeUndefined();
    expect(await withClaims({}, 900)).toBe('token-expired');
    expect(await withClaims({}, 901)).toBe('token-expired');
  });

  test('it may have been made up to 60 seconds in the future, for clocks differ, and no second more', async () => {
    expect(await withClaims({}, -60)).toBeUndefined();
    expect(await withClaims({}, -61)).toBe('token-forged');
  });

  test('it lives no longer than the configured lifetime, and not for nothing', async () => {
    expect(await withClaims({ exp: START + 900 })).toBeUndefined();
    expect(await withClaims({ exp: START + 901 })).toBe('token-forged');
    expect(await withClaims({ exp: START + 1 })).toBeUndefined();
    expect(await withClaims({ exp: START })).toBe('token-forged');
    expect(await withClaims({ exp: START - 1 })).toBe('token-forged');
    expect(await withClaims({ exp: Number.MAX_SAFE_INTEGER })).toBe('token-forged');
    expect(await withClaims({ iat: 0, exp: Number.MAX_SAFE_INTEGER })).toBe('token-forged');
  });
});

describe('tokens of other kinds', () => {
  test('a refresh token is no access token, even signed by the key of access tokens', async () => {
    const { make } = await refreshTokensOf(aSecret());
    expect(await refusalOf(await make(aSession(), START))).toBe('token-wrong-type');
    expect(await withHeader({ ...issuer.header, typ: 'rt+jwt' })).toBe('token-wrong-type');
  });

  test('a refresh token relabelled as an access token is forged', async () => {
    const secret = aSecret();
    const forge = macForgerWith(secret);
    expect(await refusalOf(forge({ alg: 'HS256', typ: 'at+jwt', kid: secret.kid }, goodClaims))).toBe('token-forged');
  });
});

test('a key set out of reach is not the fault of the token', async () => {
  const outage = new Error('out of reach');
  const verify = verifierWith(() => Promise.reject(outage), TERMS);
  await expect(verify(issuer.forge(issuer.header, goodClaims), START)).rejects.toBe(outage);
});
