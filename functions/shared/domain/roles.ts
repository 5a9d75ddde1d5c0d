import { Refusal } from './refusal.ts';
import type { User } from './user.ts';

/**
 * Lets only a user pass who has a role at this moment, whatever the token says: roles in a token are as old as it is.
 *
 * @throws {Refusal} `insufficient-scope` (RFC 6750 section 3.1)
 */
export function requireRole(user: User, role: string): void {
  if (!user.roles.includes(role)) throw new Refusal('insufficient-scope');
}
