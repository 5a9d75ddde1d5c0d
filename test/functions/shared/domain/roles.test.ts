import { expect, test } from '@jest/globals';
import { Refusal } from '../../../../functions/shared/domain/refusal.ts';
import { requireRole } from '../../../../functions/shared/domain/roles.ts';
import { aUser } from '../../../support/builders.ts';

test('a role lets its holder pass and nobody else, and is no part of another', () => {
  expect(() => requireRole(aUser({ roles: ['ops', 'admin'] }), 'admin')).not.toThrow();
  for (const roles of [[], ['ops'], ['admins'], ['Admin']]) {
    expect(() => requireRole(aUser({ roles }), 'admin')).toThrow(new Refusal('insufficient-scope'));
  }
});
