import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { after, unixSeconds } from '../../../../functions/shared/domain/time.ts';
import { addressAttempts, type AddressAttempts } from '../../../../functions/shared/store/address-attempts.ts';
import { startTables, type Tables } from '../../../support/tables.ts';

const WINDOW = 600;
/** The beginning of a window. */
const START = unixSeconds(1_700_000_400);

let tables: Tables;
let attempts: AddressAttempts;
let used = 0;
/** One that no other test has. */
const address = () => `203.0.113.${(used += 1)}`;

beforeAll(async () => {
  tables = await startTables();
  attempts = addressAttempts(tables.client, tables.names.users, { what: 'login', limit: 3, window: WINDOW });
});
afterAll(() => tables.stop());

describe('the attempts of one address', () => {
  test('are as many as the limit in a window; the next window begins in its first second', async () => {
    const from = address();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(await attempts.count(from, after(START, attempt))).toEqual({ mayTry: true });
    }
    expect(await attempts.count(from, after(START, 3))).toEqual({ mayTry: false, wait: WINDOW - 3 });
    expect(await attempts.count(from, after(START, WINDOW - 1))).toEqual({ mayTry: false, wait: 1 });
    expect(await attempts.count(from, after(START, WINDOW))).toEqual({ mayTry: true });
  });

  test('that turned out well are given back, and never more than were counted', async () => {
    const from = address();
    await attempts.giveBack(from, START);
    for (let attempt = 0; attempt < 3; attempt += 1) await attempts.count(from, START);
    await attempts.giveBack(from, START);
    expect(await attempts.count(from, START)).toEqual({ mayTry: true });
    expect(await attempts.count(from, START)).toMatchObject({ mayTry: false });
    for (let back = 0; back < 5; back += 1) await attempts.giveBack(from, START);
    for (let attempt = 0; attempt < 3; attempt += 1) expect((await attempts.count(from, START)).mayTry).toBe(true);
    expect((await attempts.count(from, START)).mayTry).toBe(false);
  });

  test('are counted for each address, and for each thing, by itself', async () => {
    const from = address();
    const registrations = addressAttempts(tables.client, tables.names.users, {
      what: 'registration',
      limit: 1,
      window: WINDOW,
    });
    for (let attempt = 0; attempt < 4; attempt += 1) await attempts.count(from, START);
    expect((await attempts.count(address(), START)).mayTry).toBe(true);
    expect((await registrations.count(from, START)).mayTry).toBe(true);
    expect((await registrations.count(from, START)).mayTry).toBe(false);
  });

  test('are those of a whole /64 of IPv6, whose owner can take any address in it', async () => {
    for (const host of ['1', 'ffff', 'a:b:c:d']) await attempts.count(`2001:db8:7:7:${host}::`, START);
    expect((await attempts.count('2001:db8:7:7::9', START)).mayTry).toBe(false);
    expect((await attempts.count('2001:db8:7:8::9', START)).mayTry).toBe(true);
  });

  test('of 50 at once where one is left count one', async () => {
    const from = address();
    for (let attempt = 0; attempt < 2; attempt += 1) await attempts.count(from, START);
    const tries = await Promise.all(Array.from({ length: 50 }, () => attempts.count(from, START)));
    expect(tries.filter(({ mayTry }) => mayTry)).toHaveLength(1);
  });
});

test('no address stands in the table', async () => {
  await attempts.count('198.51.100.77', START);
  const { Items = [] } = await tables.client.send(new ScanCommand({ TableName: tables.names.users }));
  expect(Items.length).toBeGreaterThan(0);
  expect(JSON.stringify(Items)).not.toMatch(/198\.51\.100\.77|203\.0\.113/);
});
