import { describe, expect, jest, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { foreignHashIn } from '../../../../functions/shared/password/foreign.ts';
import { passwordsWith } from '../../../../functions/shared/password/hash.ts';
import { clockAt } from '../../../support/clock.ts';
import { count } from '../../../support/counts.ts';
import { aSecret } from '../../../support/tokens.ts';
import { bcryptVectors, describeVectors, djangoHashes } from '../../../support/vectors.ts';

const COST = 4;
const pepper = aSecret();
const passwords = passwordsWith(() => Promise.resolve([pepper]), COST, clockAt().now);

describeVectors('the hashes that Django itself has made', () => {
  const rows = djangoHashes();
  // Of each scheme some in the usual run: every one takes a tenth of a second and more, on purpose.
  const some = [...Map.groupBy(rows, ({ algorithm }) => algorithm).values()].flatMap((each) =>
    each.slice(0, count(2, 99)),
  );

  test.each(some.filter(({ password }) => password !== undefined))(
    '$algorithm of $password matches it and no other, and is made anew at the next login',
    async ({ password = '', encoded }) => {
      expect(await passwords.matches(password, encoded)).toBe(true);
      expect(await passwords.matches(`${password} `, encoded)).toBe(false);
      expect(await passwords.isCurrent(encoded)).toBe(false);
    },
  );

  test('are all read, but for the mark of an unusable password, which nothing matches', async () => {
    for (const { password, encoded } of rows) expect(foreignHashIn(encoded) === undefined).toBe(password === undefined);
    const unusable = rows.find(({ password }) => password === undefined)!.encoded;
    for (const guess of ['', '!', unusable, unusable.slice(1)]) {
      expect(await passwords.matches(guess, unusable)).toBe(false);
    }
  });
});

describeVectors('the bcrypt hashes of pyca', () => {
  const cheap = bcryptVectors().filter(({ hash, password }) => {
    const isText = Buffer.from(password.toString('utf8'), 'utf8').equals(password);
    return isText && !password.includes(0) && Number(hash.slice(4, 6)) <= 8;
  });

  test.each(cheap)('$hash matches', async ({ password, hash }) => {
    expect(await passwords.matches(password.toString('utf8'), hash)).toBe(true);
    expect(await passwords.matches(`x${password.toString('utf8')}`, hash)).toBe(false);
  });

  test('are more than a few', () => expect(cheap.length).toBeGreaterThan(10));
});

describe('plain bcrypt', () => {
  test.each(['$2a$', '$2b$', '$2y$', 'bcrypt$$2b$'])('is read with the prefix %s', async (prefix) => {
    const digest = (await bcrypt.hash('secret', COST)).slice(4);
    expect(await passwords.matches('secret', prefix + digest)).toBe(true);
    expect(await passwords.matches('Secret', prefix + digest)).toBe(false);
  });

  test('counts 72 bytes, as it did where it was made; from the next login on, all of them count', async () => {
    const long = 'x'.repeat(72);
    const stored = await bcrypt.hash(long, COST);
    expect(await passwords.matches(`${long}y`, stored)).toBe(true);
    const anew = await passwords.hash(`${long}y`);
    expect(await passwords.matches(long, anew)).toBe(false);
  });
});

test('a hash of another system costs its own work and that of an account that is not there', async () => {
  const compare = jest.spyOn(bcrypt, 'compare');
  try {
    await passwords.matches('x', 'pbkdf2_sha256$1000$salt$gauLXIN+xEdz6jMz9o5WKEYQhDgyuXFZKxnRjnr/rWk=');
    expect(compare.mock.calls.map(([, hash]) => hash)).toEqual([expect.stringMatching(/^\$2b\$04\$N{53}$/)]);
  } finally {
    compare.mockRestore();
  }
});

describe('a stored text that asks for too much, or is nearly a hash', () => {
  test.each([
    '$2b$16$RBfd3oL5jgDAtcpNvgaXneNBJ/PqHrcFC5iWBrQdi60zeDa22fRWi',
    '$2b$31$RBfd3oL5jgDAtcpNvgaXneNBJ/PqHrcFC5iWBrQdi60zeDa22fRWi',
    '$2x$05$RBfd3oL5jgDAtcpNvgaXneNBJ/PqHrcFC5iWBrQdi60zeDa22fRWi',
    '$2b$05$RBfd3oL5jgDAtcpNvgaXneNBJ/PqHrcFC5iWBrQdi60zeDa22fRW',
    'pbkdf2_sha256$5000001$salt$gauLXIN+xEdz6jMz9o5WKEYQhDgyuXFZKxnRjnr/rWk=',
    'pbkdf2_sha256$0$salt$gauLXIN+xEdz6jMz9o5WKEYQhDgyuXFZKxnRjnr/rWk=',
    'pbkdf2_sha256$1000$salt$',
    'pbkdf2_sha256$1000$salt',
    'pbkdf2_sha512$1000$salt$gauLXIN+xEdz6jMz9o5WKEYQhDgyuXFZKxnRjnr/rWk=',
    'argon2$argon2id$v=19$m=262145,t=2,p=8$M1ZUSnJMazNnNDZuTGZubnZVNjVEMw$D5wnplxKAkVeVDfJU6YRQ94hliOHKcmrER7e4gCYu',
    'argon2$argon2id$v=19$m=1024,t=11,p=8$M1ZUSnJMazNnNDZuTGZubnZVNjVEMw$D5wnplxKAkVeVDfJU6YRQ94hliOHKcmrER7e4gCYu',
    'argon2$argon2id$v=19$m=8,t=1,p=8$M1ZUSnJMazNnNDZuTGZubnZVNjVEMw$D5wnplxKAkVeVDfJU6YRQ94hliOHKcmrER7e4gCYu',
    'argon2$argon2id$v=19$m=1024,t=1,p=1$AAAA$D5wnplxKAkVeVDfJU6YRQ94hliOHKcmrER7e4gCYu',
    'scrypt$1048576$salt$8$5$eL2VhCtrC5Xl7GVTz8td9z7hFEAS9WNMd2flmZbkMn2OpUz85vwPPb5V',
    'scrypt$16383$salt$8$5$eL2VhCtrC5Xl7GVTz8td9z7hFEAS9WNMd2flmZbkMn2OpUz85vwPPb5V',
    'md5$salt$0123456789abcdef0123456789abcdef',
    'plain text',
    '',
  ])('%s matches nothing', async (stored) => {
    expect(foreignHashIn(stored)).toBeUndefined();
    expect(await passwords.matches('mypassword', stored)).toBe(false);
  });
});
