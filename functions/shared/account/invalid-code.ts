import { Refusal } from '../domain/refusal.ts';

/** One answer for a code that is wrong, expired, used, or of no use any more. */
export const invalidCode = (): Refusal =>
  new Refusal('invalid-fields', { fields: { token: ['Invalid or expired token.'] } });
