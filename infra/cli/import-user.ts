/** An account made from one row of a file: of our own export, or of a dump of Django's `auth_user`. */
import { isUserId } from '../../functions/shared/domain/ids.ts';
import { displayNameFaults, emailFaults } from '../../functions/shared/domain/profile-fields.ts';
import { unixSeconds, type UnixSeconds } from '../../functions/shared/domain/time.ts';
import type { Members } from '../../functions/shared/domain/unknown.ts';
import type { User } from '../../functions/shared/domain/user.ts';
import { canonicalUsername, usernameFaults } from '../../functions/shared/domain/username.ts';
import { FOREIGN_SCHEMES, foreignHashIn } from '../../functions/shared/password/foreign.ts';
import { pepperOf } from '../../functions/shared/password/hash.ts';
import { newUserId } from '../../functions/shared/runtime/ids.ts';
import type { Account } from '../../functions/shared/store/logins.ts';
import { areRolesShort, isRole } from './accounts.ts';

/** Why a row is refused, in words that never quote a hash. */
export class RowRefused extends Error {}

/** The columns that are read; any other is refused rather than lost without a word, but for those of Django that we have no place for. */
const COLUMNS = new Set([
  ...['id', 'username', 'password', 'display_name', 'first_name', 'last_name', 'email', 'status', 'is_active'],
  ...['roles', 'created_at', 'date_joined'],
]);
const IGNORED = new Set(['last_login', 'is_superuser', 'is_staff', 'groups', 'user_permissions']);

/**
 * @param peppers the `kid`s of this stack: a hash of ours is of use only where its pepper is
 * @throws {RowRefused}
 */
export function accountFrom(fields: Members, peppers: ReadonlySet<string>, now: UnixSeconds): Account {
  const unknown = Object.keys(fields).filter((name) => !COLUMNS.has(name) && !IGNORED.has(name));
  if (unknown.length > 0) throw new RowRefused(`columns that are not known: ${unknown.slice(0, 5).join(', ')}`);

  const username = needed(fields, 'username');
  const name = canonicalUsername(username);
  if (name === undefined) throw new RowRefused(`username: ${usernameFaults(username).join(' ')}`);
  const passwordHash = needed(fields, 'password');
  checkHash(passwordHash, peppers);

  const displayName = text(fields, 'display_name') ?? joined(text(fields, 'first_name'), text(fields, 'last_name'));
  check('display_name', displayName, displayNameFaults);
  const email = text(fields, 'email');
  check('email', email, emailFaults);

  const user: User = {
    id: idIn(fields),
    username,
    ...(displayName !== undefined && { displayName }),
    ...(email !== undefined && { email }),
    status: statusIn(fields),
    roles: rolesIn(fields),
    epoch: 0,
    passwordVersion: 1,
    createdAt: timeIn(text(fields, 'created_at') ?? text(fields, 'date_joined')) ?? now,
  };
  return { name, user, login: { userId: user.id, passwordHash, passwordVersion: 1 } };
}

/** The mark of an account that has no password; nobody logs in with one. */
const isUnusable = (hash: string): boolean => hash.startsWith('!');

function checkHash(hash: string, peppers: ReadonlySet<string>): void {
  if (isUnusable(hash) || foreignHashIn(hash) !== undefined) return;
  const pepper = pepperOf(hash);
  if (pepper !== undefined && peppers.has(pepper)) return;
  if (pepper !== undefined) throw new RowRefused('password: a hash of ours whose pepper this stack does not have');
  throw new RowRefused(
    `password: no hash that can be read (${FOREIGN_SCHEMES.join(', ')}), or one that asks for too much work`,
  );
}

function needed(fields: Members, name: string): string {
  const value = text(fields, name);
  if (value === undefined) throw new RowRefused(`${name} is missing`);
  return value;
}

function text(fields: Members, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new RowRefused(`${name} is no text`);
  return value;
}

function check(name: string, value: string | undefined, rule: (value: string) => readonly string[]): void {
  const faults = value === undefined ? [] : rule(value);
  if (faults.length > 0) throw new RowRefused(`${name}: ${faults.join(' ')}`);
}

const joined = (...names: (string | undefined)[]): string | undefined =>
  names.filter((name) => name !== undefined).join(' ') || undefined;

/** An id of ours. Django's are numbers, which other services may have stored: they stay. */
function idIn(fields: Members): User['id'] {
  const value = Object.hasOwn(fields, 'id') ? fields['id'] : undefined;
  if (value === undefined || value === null || value === '') return newUserId();
  const id = typeof value === 'number' ? String(value) : value;
  if (typeof id !== 'string' || !isUserId(id)) throw new RowRefused('id is none: 1 to 64 of A-Z a-z 0-9 _ -');
  return id;
}

const TRUE = new Set<unknown>([true, 1, '1', 't', 'true', 'True', 'active']);
const FALSE = new Set<unknown>([false, 0, '0', 'f', 'false', 'False', 'disabled']);

function statusIn(fields: Members): User['status'] {
  const value = fields['status'] ?? fields['is_active'];
  if (value === undefined || value === null || TRUE.has(value)) return 'active';
  if (FALSE.has(value)) return 'disabled';
  throw new RowRefused('status is neither active nor disabled');
}

function rolesIn(fields: Members): readonly string[] {
  const value = fields['roles'] ?? [];
  const roles: unknown[] =
    typeof value === 'string' ? value.split(/[\s,]+/).filter((role) => role !== '') : [value].flat();
  if (!roles.every((role) => typeof role === 'string' && isRole(role)))
    throw new RowRefused('roles has one that is none');
  if (!areRolesShort(roles.map(String))) throw new RowRefused('roles are too long for a token');
  return [...new Set(roles.map(String))];
}

function timeIn(value: string | undefined): UnixSeconds | undefined {
  if (value === undefined) return undefined;
  const milliseconds = Date.parse(/[Zz]|[+-]\d\d:?\d\d$/.test(value) ? value : `${value}Z`);
  if (!(milliseconds >= 0)) throw new RowRefused('created_at is no time');
  return unixSeconds(milliseconds / 1000);
}
