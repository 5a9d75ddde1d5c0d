import { beforeAll, describe, expect, test } from '@jest/globals';
import { Outage } from '../../../../functions/shared/domain/refusal.ts';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../../../functions/shared/domain/settings.ts';
import { after, unixSeconds } from '../../../../functions/shared/domain/time.ts';
import { claimsFor } from '../../../../functions/shared/token/claims.ts';
import type { RingOf } from '../../../../functions/shared/token/key-ring.ts';
import { newKmsKey } from '../../../../functions/shared/token/kms-keys.ts';
import { newSigningKey, ringText } from '../../../../functions/shared/token/new-keys.ts';
import { pairsWith } from '../../../../functions/shared/token/pair.ts';
import { localKeySetFrom, publicKeysOf } from '../../../../functions/shared/token/public-keys.ts';
import { importedRingFrom, signerWith } from '../../../../functions/shared/token/sign.ts';
import { verifierWith } from '../../../../functions/shared/token/verify.ts';
import { aSession, aUser, counter } from '../../../support/builders.ts';
import { clockAt, START } from '../../../support/clock.ts';
import { headerPartOf, payloadOf } from '../../../support/forge.ts';
import { OPEN } from '../../../support/kept.ts';
import { memoryKms } from '../../../support/kms.ts';
import { anIssuer, aSecret, goodClaims, refreshTokensOf, TERMS, type Issuer } from '../../../support/tokens.ts';

const claims = claimsFor(aUser(), aSession(), TERMS, 'a-token', START);

describe('the claims of a new access token', () => {
  test('are exactly these', () => {
    expect(claims).toEqual(goodClaims);
  });

  test('carry roles where the user has some', () => {
    const { roles } = claimsFor(aUser({ roles: ['admin', 'staff'] }), aSession(), TERMS, 'a-token', START);
    expect(roles).toEqual(['admin', 'staff']);
    expect(claims).not.toHaveProperty('roles');
    expect(claims).not.toHaveProperty('scope');
  });

  test('end with the session where that comes sooner, idle or absolute', () => {
    const expOf = (ends: object) => claimsFor(aUser(), aSession(ends), TERMS, 'a-token', START).exp;
    expect(expOf({ expiresAt: after(START, 899) })).toBe(START + 899);
    expect(expOf({ maxExpiresAt: after(START, 10) })).toBe(START + 10);
    expect(expOf({ expiresAt: after(START, 901) })).toBe(START + 900);
  });
});

describe.each(SIGNING_ALGORITHMS)('an access token signed with %s', (alg) => {
  let issuer: Issuer;
  beforeAll(async () => {
    issuer = await anIssuer(alg);
  });

  test('says in its header alg, typ and kid and nothing else', async () => {
    expect(headerPartOf(await issuer.sign(claims, START))).toEqual({ alg, typ: 'at+jwt', kid: issuer.key.kid });
  });

  test('says the claims and nothing else', async () => {
    expect(payloadOf(await issuer.sign(claims, START))).toEqual(goodClaims);
  });

  test('verifies with the published key, and with its signature changed does not', async () => {
    const token = await issuer.sign(claims, START);
    await expect(issuer.verify(token, START)).resolves.toEqual(goodClaims);
    const [header, payload, signature = ''] = token.split('.');
    const changed = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    await expect(issuer.verify(changed, START)).rejects.toMatchObject({ reason: 'token-forged' });
  });

  test('does not verify with the key of another installation', async () => {
    const other = await anIssuer('ES256');
    const token = await issuer.sign(claims, START);
    await expect(other.verify(token, START)).rejects.toMatchObject({ reason: 'token-forged' });
  });

  test('is small enough for a header', async () => {
    expect((await issuer.sign(claims, START)).length).toBeLessThan(alg === 'RS256' ? 1_000 : 700);
  });
});

describe('the key that signs', () => {
  const key = (from: number, ends?: number) =>
    newSigningKey('ES256', { publishedAt: unixSeconds(0), signsFrom: after(START, from) }).then((made) =>
      ends === undefined ? made : { ...made, endsAt: after(START, ends) },
    );

  test('is the youngest that signs by now: a new one from its very second on', async () => {
    const [old, young] = await Promise.all([key(-100, 1_000), key(10)]);
    const ring = await importedRingFrom(ringText([young, old]));
    const kidAt = async (age: number) =>
      headerPartOf(await signerWith(() => Promise.resolve(ring))(claims, after(START, age)));
    expect(await kidAt(9)).toMatchObject({ kid: old.kid });
    expect(await kidAt(10)).toMatchObject({ kid: young.kid });
  });

  test('must be there: a ring whose keys have all ended, or sign later, signs nothing', async () => {
    const [ended, later] = await Promise.all([key(-100, 0), key(1)]);
    const ring = await importedRingFrom(ringText([ended, later]));
    await expect(signerWith(() => Promise.resolve(ring))(claims, START)).rejects.toMatchObject({ name: 'NoKey' });
  });

  test('is never symmetric', async () => {
    const made = await key(0);
    const symmetric = { ...made, privateJwk: { kty: 'oct', k: Buffer.alloc(32).toString('base64url') } };
    await expect(importedRingFrom(ringText([symmetric]))).rejects.toThrow();
  });
});

describe('a key of KMS', () => {
  const times = { publishedAt: unixSeconds(0), signsFrom: unixSeconds(0) };
  const clock = clockAt();
  const inKms = async (alg: SigningAlgorithm = 'ES256') => {
    const kms = memoryKms(clock.now);
    const keeper = kms.through(OPEN);
    const key = await newKmsKey(keeper, alg, times);
    return { kms, keeper, key, ring: await importedRingFrom(ringText([key])) };
  };

  test.each(SIGNING_ALGORITHMS)('signs tokens for %s that verify with what is published of it', async (alg) => {
    const { kms, key, ring } = await inKms(alg);
    const verify = verifierWith(localKeySetFrom(JSON.stringify(publicKeysOf([key], START))), TERMS);
    const sign = signerWith(() => Promise.resolve(ring), kms.sign);
    for (let round = 0; round < 20; round += 1) {
      const token = await sign(claims, START);
      expect(headerPartOf(token)).toEqual({ alg, typ: 'at+jwt', kid: key.kid });
      await expect(verify(token, START)).resolves.toEqual(goodClaims);
    }
  });

  test('that was retired a moment ago has its ring read anew, and the key that signs by now in its place', async () => {
    const { kms, keeper, key } = await inKms();
    const heir = await newSigningKey('EdDSA', { publishedAt: START, signsFrom: START });
    await keeper.remove(key.kmsKey);
    const [before, now] = await Promise.all(
      [[key], [{ ...key, endsAt: START }, heir]].map((one) => importedRingFrom(ringText(one))),
    );
    let reads = 0;
    const ring: RingOf<Awaited<ReturnType<typeof importedRingFrom>>[number]> = (suffices = () => true) => {
      if (suffices(before!)) return Promise.resolve(before!);
      reads += 1;
      expect(suffices(now!)).toBe(true);
      return Promise.resolve(now!);
    };
    expect(headerPartOf(await signerWith(ring, kms.sign)(claims, START))).toMatchObject({ kid: heir.kid });
    expect(reads).toBe(1);
  });

  test('that cannot sign and has no heir is an outage, asked once', async () => {
    const { kms, keeper, key, ring } = await inKms();
    await keeper.remove(key.kmsKey);
    let asked = 0;
    const sign = signerWith(
      () => Promise.resolve(ring),
      (...given) => {
        asked += 1;
        return kms.sign(...given);
      },
    );
    await expect(sign(claims, START)).rejects.toMatchObject({ name: 'Outage' });
    expect(asked).toBe(1);
  });

  test('is an outage where there is no KMS, and never another signature', async () => {
    const { ring } = await inKms();
    await expect(signerWith(() => Promise.resolve(ring))(claims, START)).rejects.toMatchObject({ name: 'Outage' });
  });

  test('passes an outage of KMS on, without reading the ring anew', async () => {
    const { ring } = await inKms();
    let reads = 0;
    const outage = new Outage('KMS out of reach');
    const sign = signerWith(
      () => {
        reads += 1;
        return Promise.resolve(ring);
      },
      () => Promise.reject(outage),
    );
    await expect(sign(claims, START)).rejects.toBe(outage);
    expect(reads).toBe(1);
  });

  test.each(['', '00', '3006020101020101ff'])('that answers %j for a signature signs nothing', async (hex) => {
    const { ring } = await inKms();
    const sign = signerWith(
      () => Promise.resolve(ring),
      () => Promise.resolve(Buffer.from(hex, 'hex')),
    );
    await expect(sign(claims, START)).rejects.toMatchObject({ name: 'Unfit' });
  });
});

test('a pair is an access token with an id of its own and the newest refresh token of the session', async () => {
  const issuer = await anIssuer();
  const tokens = await refreshTokensOf(aSecret());
  let number = 0;
  const pair = pairsWith(issuer.sign, tokens.make, TERMS, () => `token-${(number += 1)}`);
  const session = aSession({ current: counter(7) });
  const { access, refresh } = await pair(aUser(), session, START);
  await expect(issuer.verify(access, START)).resolves.toMatchObject({ jti: 'token-1', sid: session.sessionId });
  await expect(tokens.read(refresh, START)).resolves.toMatchObject({ counter: 7, sid: session.sessionId });
  const again = await pair(aUser(), session, after(START, 5));
  expect(again.refresh).toBe(refresh);
  expect(payloadOf(again.access)).toMatchObject({ jti: 'token-2', iat: START + 5 });
});
