import { describe, expect, test } from '@jest/globals';
import { after } from '../../../../functions/shared/domain/time.ts';
import { passwordsWith } from '../../../../functions/shared/password/hash.ts';
import type { RingKey, RingOf } from '../../../../functions/shared/token/key-ring.ts';
import { newSigningKey, ringText } from '../../../../functions/shared/token/new-keys.ts';
import { publicKeysOf } from '../../../../functions/shared/token/public-keys.ts';
import { keyFinderIn, publishedKeysFrom } from '../../../../functions/shared/token/published-keys.ts';
import { importedSecretsFrom, refreshReaderWith } from '../../../../functions/shared/token/refresh-token.ts';
import { verifierWith } from '../../../../functions/shared/token/verify.ts';
import { aSession, counter } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';
import { anIssuer, aSecret, goodClaims, refreshTokensOf, TERMS } from '../../../support/tokens.ts';

/** A ring in a memory, and the one that is kept by now: read anew where the first does not suffice. */
function remembered<Key extends RingKey>(old: readonly Key[], young: readonly Key[]) {
  let known = old;
  let readings = 0;
  const ring: RingOf<Key> = (suffices = () => true) => {
    if (!suffices(known)) {
      readings += 1;
      known = young;
    }
    return Promise.resolve(known);
  };
  return { ring, readings: () => readings };
}

const session = aSession({ current: counter(7) });

describe('a refresh token', () => {
  const [old, young] = [aSecret(), aSecret()];
  const memory = async () =>
    remembered(await importedSecretsFrom(ringText([old])), await importedSecretsFrom(ringText([old, young])));

  test('whose secret was made a moment ago has the ring read again, and one of a known secret does not', async () => {
    const { ring, readings } = await memory();
    const read = refreshReaderWith(ring);
    await read(await (await refreshTokensOf(old)).make(session, START), START);
    expect(readings()).toBe(0);
    const token = await (await refreshTokensOf(young)).make(session, START);
    await expect(read(token, START)).resolves.toMatchObject({ counter: 7 });
    await read(token, START);
    expect(readings()).toBe(1);
  });

  test('that fails a check which costs nothing has no ring read', async () => {
    const { ring, readings } = await memory();
    const read = refreshReaderWith(ring);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = (header: object) => `${part({ alg: 'HS256', typ: 'rt+jwt', kid: 'forged', ...header })}.e30.AAAA`;
    const refused = (text: string) => expect(read(text, START)).rejects.toMatchObject({ name: 'Refusal' });
    for (const header of [{ alg: 'none' }, { alg: 'ES256' }, { typ: 'at+jwt' }, { typ: 'JWT' }, { more: 1 }]) {
      await refused(token(header));
    }
    await refused(`${token({})}=`);
    await refused('x'.repeat(9_000));
    expect(readings()).toBe(0);
    await refused(token({}));
    expect(readings()).toBe(1);
  });

  test('of a secret that has ended is refused without one', async () => {
    const ended = { ...old, endsAt: after(START, 1) };
    const { ring, readings } = remembered(await importedSecretsFrom(ringText([ended, young])), []);
    const token = await (await refreshTokensOf(old)).make(session, START);
    await expect(refreshReaderWith(ring)(token, after(START, 1))).rejects.toMatchObject({ reason: 'token-forged' });
    expect(readings()).toBe(0);
  });
});

test('an access token whose key was published a moment ago has the key set read again', async () => {
  const issuer = await anIssuer();
  const other = await newSigningKey('ES256', { publishedAt: START, signsFrom: START });
  const setOf = (...keys: (typeof other)[]) => publishedKeysFrom(JSON.stringify(publicKeysOf(keys, START)));
  let known = setOf(other);
  let readings = 0;
  const findKey = keyFinderIn((suffices) => {
    if (!suffices(known)) {
      readings += 1;
      known = setOf(other, issuer.key);
    }
    return Promise.resolve(known);
  });
  const verify = verifierWith(findKey, TERMS);
  const token = await issuer.sign(goodClaims, START);
  await expect(verify(token, START)).resolves.toMatchObject({ sub: goodClaims.sub });
  await verify(token, START);
  expect(readings).toBe(1);
  const forged = issuer.forge({ ...issuer.header, alg: 'HS256', kid: 'forged' }, goodClaims);
  await expect(verify(forged, START)).rejects.toMatchObject({ reason: 'token-forged' });
  expect(readings).toBe(1);
});

test('a hash that names a pepper which was made a moment ago matches its password', async () => {
  const [old, young] = [aSecret(), aSecret()];
  const { ring, readings } = remembered([old], [old, young]);
  const stored = await passwordsWith(
    () => Promise.resolve([young]),
    4,
    () => START,
  ).hash('a password');
  const passwords = passwordsWith(ring, 4, () => START);
  expect(await passwords.matches('another password', stored)).toBe(false);
  expect(await passwords.matches('a password', stored)).toBe(true);
  expect(readings()).toBe(1);
  // A stored text that is no hash of ours names no pepper.
  expect(await passwords.matches('a password', 'no hash')).toBe(false);
  expect(readings()).toBe(1);
});
