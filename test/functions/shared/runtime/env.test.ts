import { afterEach, describe, expect, test } from '@jest/globals';
import { now } from '../../../../functions/shared/runtime/clock.ts';
import { optionalEnv, readEnv, readSettings } from '../../../../functions/shared/runtime/env.ts';

afterEach(() => {
  for (const name of ['TEST_ONE', 'TEST_TWO', 'BCRYPT_COST', 'AUDIENCE']) Reflect.deleteProperty(process.env, name);
});

describe('the environment', () => {
  test('is read by name', () => {
    Object.assign(process.env, { TEST_ONE: '1', TEST_TWO: 'two' });
    expect(readEnv('TEST_ONE', 'TEST_TWO')).toEqual({ TEST_ONE: '1', TEST_TWO: 'two' });
  });

  test('that lacks something says all it lacks at once, an empty text being nothing, and no value', () => {
    Object.assign(process.env, { TEST_ONE: 'hunter2', TEST_TWO: '' });
    expect(() => readEnv('TEST_ONE', 'TEST_TWO', 'TEST_THREE')).toThrow(
      /^Environment variables missing: TEST_TWO, TEST_THREE\.$/,
    );
  });

  test('may lack what is optional', () => {
    process.env['TEST_TWO'] = '';
    expect(optionalEnv('TEST_ONE')).toBeUndefined();
    expect(optionalEnv('TEST_TWO')).toBeUndefined();
    process.env['TEST_ONE'] = 'x';
    expect(optionalEnv('TEST_ONE')).toBe('x');
  });
});

describe('settings', () => {
  test('have their defaults where they are not set', () => {
    expect(readSettings('bcryptCost', 'audience')).toEqual({ bcryptCost: 11, audience: 'latchkey' });
  });

  test('are held to what the code can run with, so that cheap hashes can be tried locally', () => {
    process.env['BCRYPT_COST'] = '4';
    expect(readSettings('bcryptCost')).toEqual({ bcryptCost: 4 });
    process.env['BCRYPT_COST'] = '3';
    expect(() => readSettings('bcryptCost')).toThrow(
      'Setting bcryptCost (BCRYPT_COST) must be a whole number of rounds (log2) from 4 to 15, not "3".',
    );
  });
});

test('the clock tells whole seconds', () => {
  const before = Math.floor(Date.now() / 1000);
  expect(Number.isInteger(now())).toBe(true);
  expect(now() - before).toBeLessThanOrEqual(1);
});
