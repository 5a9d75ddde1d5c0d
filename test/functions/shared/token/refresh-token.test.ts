import { describe, expect, test } from '@jest/globals';
import { after, unixSeconds } from '../../../../functions/shared/domain/time.ts';
import { importedSecretsFrom } from '../../../../functions/shared/token/refresh-token.ts';
import { aSession, aUser, counter } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';
import { headerPartOf, macForgerWith, payloadOf } from '../../../support/forge.ts';
import { anIssuer, aSecret, goodClaims, refreshTokensOf } from '../../../support/tokens.ts';

const DAY = 86_400;
const session = aSession({ current: counter(7), rotatedAt: START, changedAt: after(START, 5) });

describe('a refresh token', () => {
  test('says exactly this', async () => {
    const secret = aSecret();
    const { make } = await refreshTokensOf(secret);
    const token = await make(session, after(START, 10));
    expect(headerPartOf(token)).toEqual({ alg: 'HS256', typ: 'rt+jwt', kid: secret.kid });
    expect(payloadOf(token)).toEqual({
      sub: session.userId,
      sid: session.sessionId,
      counter: 7,
      iat: START + 5,
      exp: session.expiresAt,
      jti: `${session.sessionId}.7`,
      token_type: 'refresh',
    });
  });

  test('is read by whoever has the secret', async () => {
    const { make, read } = await refreshTokensOf(aSecret());
    await expect(read(await make(session, START), START)).resolves.toEqual({
      sub: session.userId,
      sid: session.sessionId,
      counter: 7,
      iat: START + 5,
      exp: session.expiresAt,
      jti: `${session.sessionId}.7`,
    });
  });

  test('ends with its session, idle or absolute: good in the second before, not in that second', async () => {
    const { make, read } = await refreshTokensOf(aSecret());
    for (const ends of [{ expiresAt: after(START, 100) }, { maxExpiresAt: after(START, 100) }]) {
      const token = await make(aSession(ends), START);
      await expect(read(token, after(START, 99))).resolves.toMatchObject({ exp: START + 100 });
      await expect(read(token, after(START, 100))).rejects.toMatchObject({ reason: 'token-expired' });
    }
  });
});

describe('the same state of a session', () => {
  test('gives the same token byte for byte, whenever it is made and however often', async () => {
    const { make } = await refreshTokensOf(aSecret());
    const first = await make(session, after(START, 5));
    for (const age of [6, 34, 3_600, 20 * DAY]) expect(await make(session, after(START, age))).toBe(first);
  });

  test('gives it also after the secret has rotated, while the old one still counts', async () => {
    const old = aSecret();
    const young = aSecret({ publishedAt: START, signsFrom: after(START, 20) });
    const before = await refreshTokensOf(old);
    const rotated = await refreshTokensOf({ ...old, endsAt: after(START, 90 * DAY) }, young);
    const token = await before.make(session, after(START, 19));
    expect(await rotated.make(session, after(START, 20))).toBe(token);
    expect(await rotated.make(session, after(START, 90 * DAY - 1))).toBe(token);
    await expect(rotated.read(token, after(START, 21))).resolves.toMatchObject({ counter: 7 });
  });

  test('gives another one where any of its parts changes', async () => {
    const { make } = await refreshTokensOf(aSecret());
    const tokens = await Promise.all(
      [
        session,
        { ...session, current: counter(8) },
        { ...session, changedAt: after(START, 6) },
        { ...session, expiresAt: after(START, 60) },
        { ...session, userId: aSession().sessionId as unknown as typeof session.userId },
      ].map((one) => make(one, after(START, 10))),
    );
    expect(new Set(tokens).size).toBe(tokens.length);
  });
});

describe('a ring of refresh secrets', () => {
  const old = aSecret({ endsAt: after(START, 100) });
  const young = aSecret({ publishedAt: START, signsFrom: after(START, 50) });

  test('signs new states with the young secret from its second on', async () => {
    const { make } = await refreshTokensOf(old, young);
    const kidAt = async (age: number) =>
      Object(headerPartOf(await make({ ...session, changedAt: after(START, age) }, after(START, age)))) as object;
    expect(await kidAt(49)).toMatchObject({ kid: old.kid });
    expect(await kidAt(50)).toMatchObject({ kid: young.kid });
  });

  test('reads what an old secret signed until the second of its end', async () => {
    const { make, read } = await refreshTokensOf(old, young);
    const token = await make(session, after(START, 10));
    await expect(read(token, after(START, 99))).resolves.toMatchObject({ counter: 7 });
    await expect(read(token, after(START, 100))).rejects.toMatchObject({ reason: 'token-forged' });
  });

  test('never signs with a secret that has ended, whenever the session changed', async () => {
    const { make, read } = await refreshTokensOf(old, young);
    const token = await make(session, after(START, 100));
    expect(headerPartOf(token)).toMatchObject({ kid: young.kid });
    await expect(read(token, after(START, 100))).resolves.toMatchObject({ counter: 7 });
  });

  test('never signs with a young secret that was ended at once because it leaked', async () => {
    const kept = aSecret();
    const leaked = aSecret({ signsFrom: START, endsAt: after(START, 10) });
    const { make, read } = await refreshTokensOf(kept, leaked);
    const token = await make(session, after(START, 10));
    expect(headerPartOf(token)).toMatchObject({ kid: kept.kid });
    await expect(read(token, after(START, 10))).resolves.toMatchObject({ counter: 7 });
  });

  test('signs with what there is where the session is older than every secret', async () => {
    const { make } = await refreshTokensOf(aSecret({ signsFrom: after(START, 50) }));
    expect(await make(session, after(START, 60))).toMatch(/^\S+$/);
  });

  test('that has ended signs nothing', async () => {
    const { make } = await refreshTokensOf(old);
    await expect(make(session, after(START, 100))).rejects.toMatchObject({ name: 'NoKey' });
  });

  test.each(['', 'initial', '{}', '{"keys":[]}', '{"keys":{}}', '{"keys":[{"kid":"a"}]}'])(
    'is not %j',
    async (text) => {
      await expect(Promise.resolve().then(() => importedSecretsFrom(text))).rejects.toMatchObject({ name: 'Unfit' });
    },
  );
});

describe('refused as a refresh token is', () => {
  const secret = aSecret();
  const header = { alg: 'HS256', typ: 'rt+jwt', kid: secret.kid };
  const claims = {
    sub: aUser().id,
    sid: session.sessionId,
    counter: 7,
    iat: START,
    exp: after(START, 100),
    jti: 'x',
    token_type: 'refresh',
  };
  const refusalOf = async (token: string, age = 0): Promise<unknown> => {
    const { read } = await refreshTokensOf(secret);
    return read(token, after(START, age)).then(
      () => undefined,
      (error: unknown) => Object(error) as object,
    );
  };
  const forge = macForgerWith(secret);
  const forged = { name: 'Refusal', reason: 'token-forged' };

  test('(nothing, where all is as it must be)', async () => {
    expect(await refusalOf(forge(header, claims))).toBeUndefined();
  });

  test('an access token, good as it may be', async () => {
    const issuer = await anIssuer();
    const token = issuer.forge(issuer.header, goodClaims);
    expect(await refusalOf(token)).toMatchObject({ name: 'Refusal', reason: 'token-wrong-type' });
  });

  test.each([
    '',
    'garbage',
    'a.b.c',
    '..',
    `${forge(header, claims)}\n`,
    `${forge(header, claims)}=`,
    'x'.repeat(8_193),
  ])('what is no token: %j', async (token) => {
    expect(await refusalOf(token)).toMatchObject({ name: 'Refusal', reason: 'token-malformed' });
  });

  test.each([
    ['a secret of somebody else', macForgerWith(aSecret())(header, claims)],
    ['an empty secret', macForgerWith({ secret: Buffer.of() })(header, claims)],
    ['its kid as the secret', macForgerWith({ secret: Buffer.from(secret.kid) })(header, claims)],
    ['an unknown kid', forge({ ...header, kid: 'another' }, claims)],
    ['another typ', forge({ ...header, typ: 'JWT' }, claims)],
    ['alg none', forge({ ...header, alg: 'none' }, claims)],
    ['another MAC', forge({ ...header, alg: 'HS512' }, claims)],
    ['a public-key algorithm', forge({ ...header, alg: 'ES256' }, claims)],
    ['no JSON', forge(header, 'garbage')],
    ['a list', forge(header, [])],
    ['a byte order mark', forge(header, `\ufeff${JSON.stringify(claims)}`)],
    ['an end at 1e400', forge(header, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400'))],
  ])('one signed with or carrying %s', async (_, token) => {
    expect(await refusalOf(token)).toMatchObject(forged);
  });

  test.each(Object.keys(claims))('one whose %s is missing or of another type', async (name) => {
    for (const value of [undefined, null, '', {}, [], true, 0.5, -1, '7']) {
      if (name === 'jti' && value === '7') continue;
      if ((name === 'sub' || name === 'sid') && value === '7') continue;
      expect(await refusalOf(forge(header, { ...claims, [name]: value }))).toMatchObject(forged);
    }
  });

  test.each([2 ** 48, 2 ** 53, 1e21])('one that counts to %d', async (number) => {
    expect(await refusalOf(forge(header, { ...claims, counter: number }))).toMatchObject(forged);
  });

  test('one made more than 60 seconds in the future', async () => {
    expect(await refusalOf(forge(header, claims), -60)).toBeUndefined();
    expect(await refusalOf(forge(header, claims), -61)).toMatchObject(forged);
  });

  test('one with the token type of an access token', async () => {
    expect(await refusalOf(forge(header, { ...claims, token_type: 'access' }))).toMatchObject(forged);
  });

  test('every one, where the ring that should read it holds another secret under the same kid', async () => {
    const { read } = await refreshTokensOf({ ...aSecret(), kid: secret.kid, signsFrom: unixSeconds(0) });
    await expect(read(forge(header, claims), START)).rejects.toMatchObject(forged);
  });
});
