/** What operators do to accounts. Usernames are taken in any case of letters. */
import { Unfit } from '../../functions/shared/domain/unknown.ts';
import { DISPLAY_NAME_MAX_CHARACTERS, displayNameFaults } from '../../functions/shared/domain/profile-fields.ts';
import { passwordFaults } from '../../functions/shared/domain/password-policy.ts';
import type { User } from '../../functions/shared/domain/user.ts';
import { canonicalUsername, USERNAME_RULE } from '../../functions/shared/domain/username.ts';
import { passwordsWith } from '../../functions/shared/password/hash.ts';
import { now } from '../../functions/shared/runtime/clock.ts';
import { readSettings } from '../../functions/shared/runtime/env.ts';
import { newUserId } from '../../functions/shared/runtime/ids.ts';
import { attemptsClearer } from '../../functions/shared/store/attempts.ts';
import type { StoreClient } from '../../functions/shared/store/client.ts';
import { accountPutter, type Account } from '../../functions/shared/store/logins.ts';
import { accountRemover, sessionsRemover } from '../../functions/shared/store/removal.ts';
import { sharedSecretsFrom, type SharedSecret } from '../../functions/shared/token/key-ring.ts';
import { Complaint } from '../local/complaint.ts';
import {
  allUsers,
  findAccount,
  operatorsClient,
  putPassword,
  putRoles,
  putStatus,
  type Listed,
} from './accounts-store.ts';
import type { StackAccess } from './stack-access.ts';

export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly displayName?: string;
  readonly roles?: readonly string[];
}

const ROLE = /^[A-Za-z0-9._:-]{1,64}$/;

const ROLE_RULE = 'A role has 1 to 64 characters, only letters a to z, digits and the characters . _ : -.';

/** Whether a text can be a role. */
export const isRole = (text: string): boolean => ROLE.test(text);

/** They are in every token: what API Gateway takes as headers has room for more, what KMS signs with EdDSA has not. */
const ROLES_LENGTH = 2_000;

const ROLES_RULE = `The roles of a user have at most ${ROLES_LENGTH} characters together, a comma and a space between each counted.`;

/** Whether a user can have so many roles at once. */
export const areRolesShort = (roles: readonly string[]): boolean => roles.join(', ').length <= ROLES_LENGTH;

/** @throws {Complaint} where the name is taken, or the name, the password or another field is refused */
export async function createUser(stack: StackAccess, wanted: NewUser): Promise<User> {
  const { username, password, displayName, roles = [] } = wanted;
  const name = canonicalUsername(username);
  if (name === undefined) throw new Complaint(`${USERNAME_RULE}.`);
  checkPassword(password, username);
  if (displayName !== undefined) checkDisplayName(displayName);
  if (!roles.every(isRole)) throw new Complaint(ROLE_RULE);
  if (!areRolesShort(roles)) throw new Complaint(ROLES_RULE);

  return withStore(stack, async (client) => {
    // Asked first only to say no without the work of a hash; what decides is the condition of the write.
    const taken = new Complaint(`The username "${username}" is taken.`);
    if ((await findAccount(client, stack.usersTable, name)) !== undefined) throw taken;
    const user: User = {
      id: newUserId(),
      username,
      ...(displayName !== undefined && { displayName }),
      status: 'active',
      roles: [...new Set(roles)],
      epoch: 0,
      passwordVersion: 1,
      createdAt: now(),
    };
    const passwordHash = await hashed(stack, password);
    const login = { userId: user.id, passwordHash, passwordVersion: user.passwordVersion };
    if (!(await accountPutter(client, stack.usersTable)({ name, login, user }))) throw taken;
    return user;
  });
}

/** @returns undefined where nobody has the username */
export const findUser = (stack: StackAccess, username: string): Promise<User | undefined> =>
  withStore(stack, async (client) => (await accountOf(client, stack, username))?.user);

/** Every user, in no order. */
export async function* listUsers(stack: StackAccess): AsyncGenerator<Listed> {
  const client = operatorsClient(stack);
  try {
    yield* allUsers(client, stack.usersTable);
  } finally {
    client.destroy();
  }
}

/** How often an account is read again that somebody else changes meanwhile. */
const READINGS = 5;

/** Sets a password, ends every session, and forgets failed logins. @throws {Complaint} */
export async function setPassword(stack: StackAccess, username: string, password: string): Promise<User> {
  checkPassword(password, username);
  return withStore(stack, async (client) => {
    let account = await neededAccount(client, stack, username);
    const hash = await hashed(stack, password);
    for (let reading = 1; !(await putPassword(client, stack.usersTable, account, hash)); reading += 1) {
      if (reading === READINGS) throw new Complaint(`Somebody else changes "${username}" right now. Nothing was done.`);
      account = await neededAccount(client, stack, username);
    }
    await attemptsClearer(client, stack.usersTable)(account.name);
    return account.user;
  });
}

/** Gives a user roles and takes others away; they are in the tokens from the next refresh on. @throws {Complaint} */
export const changeRoles = (
  stack: StackAccess,
  username: string,
  { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
): Promise<User> => {
  if (![...add, ...remove].every(isRole)) throw new Complaint(ROLE_RULE);
  return withStore(stack, async (client) => {
    for (let reading = 1; reading <= READINGS; reading += 1) {
      const { user } = await neededAccount(client, stack, username);
      const roles = [...new Set([...user.roles, ...add])].filter((role) => !remove.includes(role));
      if (add.length > 0 && !areRolesShort(roles)) throw new Complaint(ROLES_RULE);
      if (await putRoles(client, stack.usersTable, user, roles)) return { ...user, roles };
    }
    throw new Complaint(`Somebody else changes "${username}" right now. Nothing was done.`);
  });
};

/** Disables a user, which ends every session at once, or enables one, which brings none of them back. @throws {Complaint} */
export const setStatus = (stack: StackAccess, username: string, status: User['status']): Promise<User> =>
  withStore(stack, async (client) => {
    const { user } = await neededAccount(client, stack, username);
    if (!(await putStatus(client, stack.usersTable, user.id, status))) throw unknownUser(username);
    return user;
  });

/** Deletes a user with login and sessions. Cut off anywhere, it can be run again. @throws {Complaint} */
export const deleteUser = (stack: StackAccess, username: string): Promise<User> =>
  withStore(stack, async (client) => {
    const account = await neededAccount(client, stack, username);
    // Disabled first, so that no login makes a session behind our back.
    await putStatus(client, stack.usersTable, account.user.id, 'disabled');
    await sessionsRemover(client, stack.sessionsTable)(account.user.id);
    if (!(await accountRemover(client, stack.usersTable)(account.name, account.user))) throw unknownUser(username);
    return account.user;
  });

/** Lets `use` work with the store of a stack. */
export async function withStore<Result>(
  stack: StackAccess,
  use: (client: StoreClient) => Promise<Result>,
): Promise<Result> {
  const client = operatorsClient(stack);
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

function accountOf(client: StoreClient, stack: StackAccess, username: string): Promise<Account | undefined> {
  const name = canonicalUsername(username);
  return name === undefined ? Promise.resolve(undefined) : findAccount(client, stack.usersTable, name);
}

/** @throws {Complaint} where nobody has the username */
export async function neededAccount(client: StoreClient, stack: StackAccess, username: string): Promise<Account> {
  const account = await accountOf(client, stack, username);
  if (account === undefined) throw unknownUser(username);
  return account;
}

const unknownUser = (username: string) => new Complaint(`There is no user "${username}".`);

function checkPassword(password: string, username: string): void {
  const faults = passwordFaults(password, username, readSettings('passwordMinLength').passwordMinLength);
  if (faults.length > 0) throw new Complaint(faults.join(' '));
}

function checkDisplayName(name: string): void {
  if (displayNameFaults(name).length === 0) return;
  throw new Complaint(`A display name has 1 to ${DISPLAY_NAME_MAX_CHARACTERS} characters, none of them a control.`);
}

async function hashed(stack: StackAccess, password: string): Promise<string> {
  const peppers = peppersIn(await stack.peppersSecret());
  return passwordsWith(() => Promise.resolve(peppers), readSettings('bcryptCost').bcryptCost, now).hash(password);
}

/** @throws {Complaint} where the secret holds none yet */
export function peppersIn(secret: string): readonly SharedSecret[] {
  try {
    return sharedSecretsFrom(secret);
  } catch (error) {
    if (error instanceof Unfit) throw new Complaint('The stack has no pepper yet. Has its deployment finished?');
    throw error;
  }
}
