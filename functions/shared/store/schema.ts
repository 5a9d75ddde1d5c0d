/**
 * Names and keys of the two tables. The stack grants on these prefixes and the functions build keys from
 * them, so neither can drift from the other.
 */

/** Key attributes of the Users table: one `pk`, whose prefix tells the kind of item. */
export const USERS_KEY = { partition: 'pk' } as const;

/** Key attributes of the Sessions table: all sessions of one user stand together. */
export const SESSIONS_KEY = { partition: 'userId', sort: 'sessionId' } as const;

/** The attribute DynamoDB's garbage collector reads, in Unix seconds. No rule of ours relies on it. */
export const TTL_ATTRIBUTE = 'ttl';

/** Kinds of item in Users, told apart by prefix so that IAM (`dynamodb:LeadingKeys`) can tell them apart too. */
export const PREFIX = {
  user: 'USER#',
  login: 'LOGIN#',
  attempts: 'ATTEMPTS#',
  email: 'EMAIL#',
  code: 'CODE#',
} as const;

export type UsersPrefix = (typeof PREFIX)[keyof typeof PREFIX];

/** Version of every item's shape, stored with it; a reader refuses what it does not know. */
export const SCHEMA_VERSION = 1;

export const userKey = (userId: string) => ({ pk: `${PREFIX.user}${userId}` });
export const loginKey = (lookupName: string) => ({ pk: `${PREFIX.login}${lookupName}` });
export const attemptsKey = (nameHash: string) => ({ pk: `${PREFIX.attempts}${nameHash}` });
export const emailKey = (canonicalEmail: string) => ({ pk: `${PREFIX.email}${canonicalEmail}` });
export const codeKey = (codeHash: string) => ({ pk: `${PREFIX.code}${codeHash}` });
export const sessionKey = (userId: string, sessionId: string) => ({ userId, sessionId });
