import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { after } from '../../../../functions/shared/domain/time.ts';
import { passwordsWith, type Passwords } from '../../../../functions/shared/password/hash.ts';
import { clockAt, START } from '../../../support/clock.ts';
import { aSecret } from '../../../support/tokens.ts';
import { bcryptVectors, describeVectors } from '../../../support/vectors.ts';

const COST = 4;
const pepper = aSecret();
const clock = clockAt();
const passwordsOf = (cost: number, ...peppers: (typeof pepper)[]): Passwords =>
  passwordsWith(() => Promise.resolve(peppers), cost, clock.now);
const passwords = passwordsOf(COST, pepper);

describe('a stored hash', () => {
  test('names its scheme, its pepper and its cost', async () => {
    const stored = await passwords.hash('correct horse battery staple');
    expect(stored).toMatch(new RegExp(`^bcrypt-hmac-sha384:${pepper.kid}:\\$2b\\$04\\$[./A-Za-z0-9]{53}$`));
    expect(bcrypt.getRounds(stored.slice(stored.indexOf('$')))).toBe(COST);
  });

  test('has a salt of its own', async () => {
    expect(await passwords.hash('x')).not.toBe(await passwords.hash('x'));
  });

  test('matches its password and no other', async () => {
    const stored = await passwords.hash('correct horse battery staple');
    await expect(passwords.matches('correct horse battery staple', stored)).resolves.toBe(true);
    for (const other of ['', 'Correct horse battery staple', 'correct horse battery staple ', 'x']) {
      await expect(passwords.matches(other, stored)).resolves.toBe(false);
    }
  });
});

describe('two passwords are told apart', () => {
  const start = 'x'.repeat(72);

  test.each([
    ['that differ only after byte 72', `${start}a`, `${start}b`],
    ['of which one goes on after byte 72', start, `${start}a`],
    ['that differ only in their last character of 128', `${'x'.repeat(127)}a`, `${'x'.repeat(127)}b`],
    ['that differ only after a NUL', 'ab\0ab', 'ab\0ac'],
    ['of which one ends where the other has a NUL', 'ab', 'ab\0'],
    ['of which one begins with NUL', '\0ab', ''],
    ['in 4-byte characters beyond byte 72', `${'\u{1f511}'.repeat(18)}a`, `${'\u{1f511}'.repeat(18)}b`],
    ['that only look alike', 'p\u0430ssword', 'password'],
    ['of which one is in compatibility characters', '\uff41\uff42', 'ab'],
  ])('%s', async (_, one, other) => {
    const stored = await passwords.hash(one);
    await expect(passwords.matches(one, stored)).resolves.toBe(true);
    await expect(passwords.matches(other, stored)).resolves.toBe(false);
  });

  test('but not by how a keyboard composes their characters', async () => {
    const stored = await passwords.hash('Z\u00fcrich \u1e69');
    await expect(passwords.matches('Zu\u0308rich s\u0307\u0323', stored)).resolves.toBe(true);
    await expect(passwords.matches('Zu\u0308rich s\u0323\u0307', stored)).resolves.toBe(true);
    await expect(passwords.matches('Zurich s', stored)).resolves.toBe(false);
  });
});

describe('a pepper', () => {
  test('must be the one that the hash was made with', async () => {
    const stored = await passwords.hash('x');
    const impostor = { ...aSecret(), kid: pepper.kid };
    await expect(passwordsOf(COST, impostor).matches('x', stored)).resolves.toBe(false);
    await expect(passwordsOf(COST, aSecret(), pepper).matches('x', stored)).resolves.toBe(true);
  });

  test('that is not in the ring matches nothing', async () => {
    const stored = await passwords.hash('x');
    await expect(passwordsOf(COST, aSecret()).matches('x', stored)).resolves.toBe(false);
  });

  test('still opens what it made after its time, and the next login makes that anew', async () => {
    const stored = await passwords.hash('x');
    const ended = { ...pepper, endsAt: after(START, -1) };
    const rotated = passwordsOf(COST, ended, aSecret());
    await expect(rotated.matches('x', stored)).resolves.toBe(true);
    await expect(rotated.isCurrent(stored)).resolves.toBe(false);
    await expect(rotated.isCurrent(await rotated.hash('x'))).resolves.toBe(true);
  });

  test('is the youngest whose second has come', async () => {
    const young = aSecret({ signsFrom: after(START, 10) });
    const rotating = passwordsOf(COST, pepper, young);
    clock.set(after(START, 9));
    expect(await rotating.hash('x')).toContain(`:${pepper.kid}:`);
    clock.set(after(START, 10));
    expect(await rotating.hash('x')).toContain(`:${young.kid}:`);
    clock.set(START);
  });

  test('that is missing altogether is an error, not a wrong password', async () => {
    await expect(passwordsOf(COST).hash('x')).rejects.toMatchObject({ name: 'NoKey' });
    await expect(passwordsOf(COST).matchesNobody('x')).rejects.toMatchObject({ name: 'NoKey' });
  });
});

describe('a hash is current', () => {
  test('as long as scheme, pepper and cost are the configured ones', async () => {
    const stored = await passwords.hash('x');
    await expect(passwords.isCurrent(stored)).resolves.toBe(true);
    await expect(passwordsOf(COST + 1, pepper).isCurrent(stored)).resolves.toBe(false);
    await expect(passwordsOf(COST, aSecret()).isCurrent(stored)).resolves.toBe(false);
    await expect(passwords.isCurrent(stored.slice(stored.indexOf('$')))).resolves.toBe(false);
  });

  test('and matches at whatever cost it was made', async () => {
    const stored = await passwordsOf(5, pepper).hash('x');
    await expect(passwords.matches('x', stored)).resolves.toBe(true);
  });
});

describe('what is compared with', () => {
  const compared: { text: string; hash: string }[] = [];

  beforeEach(() => {
    compared.length = 0;
    const compare = bcrypt.compare.bind(bcrypt);
    jest.spyOn(bcrypt, 'compare').mockImplementation((text, hash) => {
      compared.push({ text, hash });
      return compare(text, hash);
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Expects one comparison that takes as long as a real one: a whole hash of the configured cost. */
  const expectFullWork = (cost: number) => {
    expect(compared).toHaveLength(1);
    const [{ text, hash } = { text: '', hash: '' }] = compared;
    expect(hash).toMatch(/^\$2b\$\d\d\$[./A-Za-z0-9]{53}$/);
    expect(bcrypt.getRounds(hash)).toBe(cost);
    expect(bcrypt.getSalt(hash)).toHaveLength(29);
    expect(text).toMatch(/^[A-Za-z0-9+/]{64}$/);
  };

  test.each([4, 5, 10])('for nobody is as much work as for somebody, at cost %i', async (cost) => {
    await expect(passwordsOf(cost, pepper).matchesNobody('x')).resolves.toBe(false);
    expectFullWork(cost);
  });

  test('for somebody is 64 characters, of whatever length the password is, so that bcrypt cuts nothing', async () => {
    for (const password of ['', 'x', '\0', 'x'.repeat(16_000), '\u{1f511}'.repeat(128)]) {
      compared.length = 0;
      const stored = await passwords.hash(password);
      await expect(passwords.matches(password, stored)).resolves.toBe(true);
      expectFullWork(COST);
    }
    expect(bcrypt.truncates(compared[0]!.text)).toBe(false);
  });

  const salt = 'N'.repeat(22);
  const digest = 'N'.repeat(31);
  test.each([
    ['nothing', ''],
    ['a word', 'disabled'],
    ['only a scheme', 'bcrypt-hmac-sha384'],
    ['an empty pepper', `bcrypt-hmac-sha384::$2b$04$${salt}${digest}`],
    ['an unknown pepper', `bcrypt-hmac-sha384:other:$2b$04$${salt}${digest}`],
    ['another scheme', `bcrypt-hmac-sha512:${pepper.kid}:$2b$04$${salt}${digest}`],
    ['a character too few', `bcrypt-hmac-sha384:${pepper.kid}:$2b$04$${salt}${digest.slice(1)}`],
    ['a character too many', `bcrypt-hmac-sha384:${pepper.kid}:$2b$04$${salt}${digest}N`],
    ['60 characters that are no hash', `bcrypt-hmac-sha384:${pepper.kid}:${'x'.repeat(60)}`],
    ['a character that no hash has', `bcrypt-hmac-sha384:${pepper.kid}:$2b$04$${salt}${digest.slice(1)}!`],
    ['a line end', `bcrypt-hmac-sha384:${pepper.kid}:$2b$04$${salt}${digest}\n`],
    ['no cost', `bcrypt-hmac-sha384:${pepper.kid}:$2b$$${salt}${digest}`],
    ['a cost below the least', `bcrypt-hmac-sha384:${pepper.kid}:$2b$03$${salt}${digest}`],
    ['a cost of nothing', `bcrypt-hmac-sha384:${pepper.kid}:$2b$00$${salt}${digest}`],
    ['a cost above the most', `bcrypt-hmac-sha384:${pepper.kid}:$2b$32$${salt}${digest}`],
    ['a cost that is absurd', `bcrypt-hmac-sha384:${pepper.kid}:$2b$99$${salt}${digest}`],
    ['an unknown version', `bcrypt-hmac-sha384:${pepper.kid}:$2z$04$${salt}${digest}`],
  ])('where the stored text is %s, takes as long, matches nothing and is not current', async (_, stored) => {
    await expect(passwords.matches('x', stored)).resolves.toBe(false);
    expectFullWork(COST);
    await expect(passwords.isCurrent(stored)).resolves.toBe(false);
  });
});

describeVectors('the hash library', () => {
  test('agrees with the hashes of pyca/bcrypt whose passwords are texts', async () => {
    const texts = bcryptVectors().filter(({ password }) => Buffer.from(password.toString('utf8')).equals(password));
    expect(texts.length).toBeGreaterThanOrEqual(23);
    for (const { password, hash } of texts) {
      const text = password.toString('utf8');
      expect({ hash, matches: await bcrypt.compare(text, hash) }).toEqual({ hash, matches: true });
      expect({ hash, matches: await bcrypt.compare(`!${text}`, hash) }).toEqual({ hash, matches: false });
    }
  });
});
