import { waitAfter, waitLeft } from '../../functions/shared/domain/attempts.ts';
import type { UserId } from '../../functions/shared/domain/ids.ts';
import { RECENT_SECONDS, rotation, type Change } from '../../functions/shared/domain/renewal.ts';
import { endOf, type Session } from '../../functions/shared/domain/session.ts';
import type { UnixSeconds } from '../../functions/shared/domain/time.ts';
import type { Login, User } from '../../functions/shared/domain/user.ts';
import type { Conditional } from '../../functions/shared/store/client.ts';
import type { Store, TestStore } from './store.ts';

/** The store in memory, on the conditions of the real one; `store-contract.ts` holds both to the same. */
export interface MemoryStore extends TestStore {
  /** The names of the functions that were called, in order. */
  readonly calls: (keyof Store)[];
  /** All items as one text, to see whether anything changed. */
  dump(): string;
}

interface Attempts {
  readonly failures: number;
  readonly countedAt: UnixSeconds;
}

type SessionName = Pick<Session, 'userId' | 'sessionId'>;

const keyOf = ({ userId, sessionId }: SessionName): string => `${userId} ${sessionId}`;

export function memoryStore(): MemoryStore {
  const users = new Map<UserId, User>();
  const logins = new Map<string, Login>();
  const attempts = new Map<string, Attempts>();
  const sessions = new Map<string, Session>();
  const calls: (keyof Store)[] = [];

  /** One call of the store: it is noted, and done as a whole before anything else is. */
  const call = <Value>(name: keyof Store, act: () => Value): Promise<Value> => {
    calls.push(name);
    return Promise.resolve(act());
  };

  const changed = (name: SessionName, change: Change, stands: (item: Session) => boolean): Conditional<Session> => {
    const found = sessions.get(keyOf(name));
    const isAlive = found && found.revokedAt === undefined && endOf(found) > change.changedAt;
    if (!isAlive || !stands(found)) return { done: false, found };
    const item = { ...found, ...change };
    sessions.set(keyOf(name), item);
    return { done: true, item };
  };

  return {
    countAttempt: (name, now) =>
      call('countAttempt', () => {
        const { failures, countedAt } = attempts.get(name) ?? { failures: 0, countedAt: now };
        const wait = waitAfter(failures);
        if (wait > 0 && now - countedAt < wait) return { mayTry: false, wait: waitLeft({ failures, countedAt }, now) };
        attempts.set(name, { failures: failures + 1, countedAt: now });
        return { mayTry: true, failures: failures + 1 };
      }),
    clearAttempts: (name) => call('clearAttempts', () => void attempts.delete(name)),

    findLogin: (name) => call('findLogin', () => logins.get(name)),
    replaceHash: (name, read, passwordHash) =>
      call('replaceHash', () => {
        const found = logins.get(name);
        const stands = found?.passwordHash === read.passwordHash && found.passwordVersion === read.passwordVersion;
        if (stands) logins.set(name, { ...found, passwordHash });
      }),

    findUser: (id) => call('findUser', () => users.get(id)),
    raiseEpoch: (id) =>
      call('raiseEpoch', () => {
        const user = users.get(id);
        if (user) users.set(id, { ...user, epoch: user.epoch + 1 });
      }),
    endOthers: (user, session) =>
      call('endOthers', () => {
        const foundUser = users.get(user.id);
        const found = sessions.get(keyOf(session));
        const stand = foundUser?.epoch === user.epoch && found?.epoch === user.epoch && found.revokedAt === undefined;
        if (stand) {
          users.set(user.id, { ...foundUser, epoch: user.epoch + 1 });
          sessions.set(keyOf(session), { ...found, epoch: user.epoch + 1 });
        }
        return stand;
      }),

    putSession: (session) =>
      call('putSession', () => {
        if (!sessions.has(keyOf(session))) sessions.set(keyOf(session), session);
      }),
    findSession: (userId, sessionId) => call('findSession', () => sessions.get(keyOf({ userId, sessionId }))),
    listSessions: (userId, limit, before) =>
      call('listSessions', () => {
        const page = [...sessions.values()]
          .filter((session) => session.userId === userId && (before === undefined || session.sessionId < before))
          .sort((one, other) => (one.sessionId < other.sessionId ? 1 : -1))
          .slice(0, limit);
        const last = page.at(-1);
        return { sessions: page, ...(last && page.length === limit && { next: last.sessionId }) };
      }),
    rotateUnread: (name, presented) =>
      call('rotateUnread', () => {
        const isNewest = ({ current, changedAt }: Session) =>
          current === presented.counter && (changedAt === undefined || presented.now - changedAt >= RECENT_SECONDS);
        return changed(name, rotation(presented.counter, presented), isNewest);
      }),
    changeSession: (read, change) =>
      call('changeSession', () =>
        changed(read, change, ({ current, parent }) => current === read.current && parent === read.parent),
      ),
    revokeSession: (name, now) =>
      call('revokeSession', () => {
        const found = sessions.get(keyOf(name));
        if (found === undefined || found.revokedAt !== undefined) return false;
        sessions.set(keyOf(name), { ...found, revokedAt: now });
        return true;
      }),
    removeSession: (name) => call('removeSession', () => void sessions.delete(keyOf(name))),
    changeProfile: (read, change) =>
      call('changeProfile', () => {
        const found = users.get(read.id);
        if (found?.epoch !== read.epoch || found.status !== 'active') return undefined;
        const members = Object.entries({ ...found, ...change }).filter(([, value]) => value !== null);
        const user = Object.fromEntries(members) as unknown as User;
        users.set(read.id, user);
        return user;
      }),
    changePassword: ({ name, login, user, hash, session }) =>
      call('changePassword', () => {
        const foundLogin = logins.get(name);
        const found = users.get(user.id);
        const stand =
          foundLogin?.userId === user.id &&
          foundLogin.passwordVersion === login.passwordVersion &&
          found?.passwordVersion === login.passwordVersion &&
          found.epoch === user.epoch &&
          found.status === 'active' &&
          !sessions.has(keyOf(session));
        if (!stand) return false;
        const passwordVersion = login.passwordVersion + 1;
        logins.set(name, { ...foundLogin, passwordHash: hash, passwordVersion });
        users.set(user.id, { ...found, passwordVersion, epoch: session.epoch });
        sessions.set(keyOf(session), session);
        return true;
      }),

    setUser: (user) => Promise.resolve(void users.set(user.id, user)),
    setLogin: (name, login) => Promise.resolve(void logins.set(name, login)),
    setSession: (session) => Promise.resolve(void sessions.set(keyOf(session), session)),
    calls,
    dump: () => JSON.stringify([users, logins, attempts, sessions].map((items) => [...items])),
  };
}
