import type { Counter, SessionId, UserId } from '../../functions/shared/domain/ids.ts';
import type { ClientPrint, Session } from '../../functions/shared/domain/session.ts';
import { after } from '../../functions/shared/domain/time.ts';
import type { Login, User } from '../../functions/shared/domain/user.ts';
import { START } from './clock.ts';

const DAY = 86_400;

export const counter = (value: number): Counter => value as Counter;
export const client = (name: string): ClientPrint => name as ClientPrint;

/** An active user called Ada, unless told otherwise. */
export const aUser = (changes: Partial<User> = {}): User => ({
  id: '0a1b2c3d-0000-4000-8000-00000000ada0' as UserId,
  username: 'Ada',
  status: 'active',
  roles: [],
  epoch: 0,
  passwordVersion: 1,
  createdAt: START,
  ...changes,
});

/** The login of {@link aUser}; its hash is one that no password has. */
export const aLogin = (changes: Partial<Login> = {}): Login => ({
  userId: aUser().id,
  passwordHash: 'none',
  passwordVersion: 1,
  ...changes,
});

/** A session of {@link aUser} as login leaves it at {@link START}, with the default lifetimes. */
export const aSession = (changes: Partial<Session> = {}): Session => ({
  userId: aUser().id,
  sessionId: '018bcfe5-6800-7000-8000-000000000001' as SessionId,
  current: counter(0),
  base: -1,
  client: client('phone'),
  epoch: 0,
  createdAt: START,
  expiresAt: after(START, 30 * DAY),
  maxExpiresAt: after(START, 90 * DAY),
  device: { address: '203.0.113.7', userAgent: 'test/1' },
  ...changes,
});
