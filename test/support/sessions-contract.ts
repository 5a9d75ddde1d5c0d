import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { SessionId, UserId } from '../../functions/shared/domain/ids.ts';
import { RECENT_SECONDS, renewal, type Change, type Presented } from '../../functions/shared/domain/renewal.ts';
import type { Session } from '../../functions/shared/domain/session.ts';
import { after, type UnixSeconds } from '../../functions/shared/domain/time.ts';
import { aSession, aUser, client, counter } from './builders.ts';
import { START } from './clock.ts';
import type { TestStore } from './store.ts';

const someUser = () => aUser({ id: randomUUID() as UserId });
const someSession = (changes: Partial<Session> = {}) =>
  aSession({ userId: randomUUID() as UserId, sessionId: randomUUID() as SessionId, ...changes });

const IDLE = 1_000;
const presented = (count: number, now: UnixSeconds): Presented => ({
  counter: counter(count),
  client: client('phone'),
  now,
  idle: IDLE,
});

/** A session that was rotated at {@link START}, so that its counter 1 is the newest and 0 the parent. */
const rotated = (changes: Partial<Session> = {}) =>
  someSession({
    current: counter(1),
    base: 0,
    parent: counter(0),
    rotatedAt: START,
    changedAt: START,
    ...changes,
  });

/** The change that a rule decided on, as an operation would get it. */
function changeOf(session: Session, count: number, now: UnixSeconds): Change {
  const verdict = renewal(session, presented(count, now));
  if (verdict.kind === 'same-again') throw new Error('nothing to change');
  return verdict.change;
}

/** The part of the contract of every store on sessions. */
export function sessionsContract(store: () => TestStore): void {
  describe('sessions', () => {
    test('are found by user and id, as they were put', async () => {
      const fresh = someSession({ device: { address: '2001:db8::1', userAgent: '' } });
      const used = rotated({ revokedAt: after(START, 5) });
      await store().putSession(fresh);
      await store().putSession(used);
      expect(await store().findSession(fresh.userId, fresh.sessionId)).toEqual(fresh);
      expect(await store().findSession(used.userId, used.sessionId)).toEqual(used);
      expect(await store().findSession(fresh.userId, used.sessionId)).toBeUndefined();
    });

    test('putting one again, as a client does whose answer was lost, changes nothing', async () => {
      const session = someSession();
      await store().putSession(session);
      await store().rotateUnread(session, presented(0, START));
      const used = await store().findSession(session.userId, session.sessionId);
      await store().putSession(session);
      expect(await store().findSession(session.userId, session.sessionId)).toEqual(used);
      expect(used?.current).toBe(1);
    });

    test('of one user are listed newest first, page by page, and no one else’s', async () => {
      const userId = randomUUID() as UserId;
      const sessions = ['a', 'b', 'c', 'd', 'e'].map((id) => aSession({ userId, sessionId: id as SessionId }));
      for (const session of [sessions[2], sessions[0], sessions[4], sessions[1], sessions[3]]) {
        await store().putSession(session!);
      }
      await store().putSession(someSession({ sessionId: 'c' as SessionId }));
      const listed: Session[] = [];
      let before: SessionId | undefined;
      do {
        const page = await store().listSessions(userId, 2, before);
        expect(page.sessions.length).toBeLessThanOrEqual(2);
        listed.push(...page.sessions);
        before = page.next;
      } while (before !== undefined);
      expect(listed).toEqual(sessions.toReversed());
      expect((await store().listSessions(randomUUID() as UserId, 2)).sessions).toEqual([]);
    });
  });

  describe('rotating unread', () => {
    test('moves a session that was never refreshed', async () => {
      const session = someSession();
      await store().putSession(session);
      const now = after(START, 3);
      const item = {
        ...session,
        current: 1,
        base: 0,
        parent: 0,
        rotatedAt: now,
        changedAt: now,
        client: 'phone',
        expiresAt: now + IDLE,
      };
      expect(await store().rotateUnread(session, presented(0, now))).toEqual({ done: true, item });
      expect(await store().findSession(session.userId, session.sessionId)).toEqual(item);
    });

    test('moves one whose last change is 30 s ago, and not a second sooner', async () => {
      const session = rotated();
      await store().setSession(session);
      const early = await store().rotateUnread(session, presented(1, after(START, RECENT_SECONDS - 1)));
      expect(early).toEqual({ done: false, found: session });
      const late = await store().rotateUnread(session, presented(1, after(START, RECENT_SECONDS)));
      expect(late).toMatchObject({ done: true, item: { current: 2, base: 1, parent: 1 } });
    });

    test.each<[string, Session, number]>([
      ['an older counter', rotated(), 0],
      ['a counter that is not there yet', rotated(), 2],
      ['a change in the future', rotated({ changedAt: after(START, 5_000) }), 1],
      ['a revoked session', rotated({ revokedAt: START }), 1],
      ['the second of the idle end', rotated({ expiresAt: after(START, 100) }), 1],
      ['the second of the absolute end', rotated({ maxExpiresAt: after(START, 100) }), 1],
    ])('leaves %s as it is and says what stands there', async (_, session, count) => {
      await store().setSession(session);
      const outcome = await store().rotateUnread(session, presented(count, after(START, 100)));
      expect(outcome).toEqual({ done: false, found: session });
      expect(await store().findSession(session.userId, session.sessionId)).toEqual(session);
    });

    test.each([
      ['idle', rotated({ expiresAt: after(START, 100) })],
      ['absolute', rotated({ maxExpiresAt: after(START, 100) })],
    ])('moves one a second before its %s end', async (_, session) => {
      await store().setSession(session);
      const { done } = await store().rotateUnread(session, presented(1, after(START, 99)));
      expect(done).toBe(true);
    });

    test('makes no session that is not there', async () => {
      const session = someSession();
      expect(await store().rotateUnread(session, presented(0, START))).toEqual({ done: false, found: undefined });
      expect(await store().findSession(session.userId, session.sessionId)).toBeUndefined();
    });

    test('of 50 parallel ones exactly one is done, and the others are shown what it left', async () => {
      const session = someSession();
      await store().putSession(session);
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, () => store().rotateUnread(session, presented(0, START))),
      );
      const winners = outcomes.flatMap((one) => (one.done ? [one.item] : []));
      const losers = outcomes.flatMap((one) => (one.done ? [] : [one.found]));
      expect(winners).toHaveLength(1);
      expect(losers).toEqual(Array.from({ length: 49 }, () => winners[0]));
    });
  });

  describe('changing what was read', () => {
    const later = after(START, 100);

    test('is done where it still stands', async () => {
      const session = rotated();
      await store().setSession(session);
      const change = changeOf(session, 0, later);
      const item = { ...session, ...change };
      expect(await store().changeSession(session, change)).toEqual({ done: true, item });
      expect(await store().findSession(session.userId, session.sessionId)).toEqual(item);
    });

    test('is done on one that never had a parent', async () => {
      const session = someSession();
      await store().setSession(session);
      const outcome = await store().changeSession(session, changeOf(session, 3, later));
      expect(outcome).toMatchObject({ done: true, item: { current: 4, base: 3, parent: 3 } });
    });

    test.each<[string, Partial<Session>]>([
      ['its newest counter moved', { current: counter(2) }],
      ['its parent moved', { parent: counter(1) }],
      ['it was revoked', { revokedAt: START }],
      ['its idle end came', { expiresAt: later }],
      ['its absolute end came', { maxExpiresAt: later }],
    ])('is not done where %s meanwhile', async (_, meanwhile) => {
      const read = rotated();
      const standing = { ...read, ...meanwhile };
      await store().setSession(standing);
      const outcome = await store().changeSession(read, changeOf(read, 0, later));
      expect(outcome).toEqual({ done: false, found: standing });
      expect(await store().findSession(read.userId, read.sessionId)).toEqual(standing);
    });

    test('is not done where a parent came to one that had none', async () => {
      const read = someSession();
      const standing = { ...read, parent: counter(0) };
      await store().setSession(standing);
      const outcome = await store().changeSession(read, changeOf(read, 3, later));
      expect(outcome).toEqual({ done: false, found: standing });
    });

    test('makes no session that is gone', async () => {
      const read = rotated();
      const outcome = await store().changeSession(read, changeOf(read, 0, later));
      expect(outcome).toEqual({ done: false, found: undefined });
      expect(await store().findSession(read.userId, read.sessionId)).toBeUndefined();
    });
  });

  describe('revoking', () => {
    test('ends a session for ever; a second time changes nothing', async () => {
      const session = rotated();
      await store().setSession(session);
      expect(await store().revokeSession(session, after(START, 40))).toBe(true);
      expect(await store().revokeSession(session, after(START, 50))).toBe(false);
      const ended = { ...session, revokedAt: after(START, 40) };
      expect(await store().findSession(session.userId, session.sessionId)).toEqual(ended);
      const outcome = await store().rotateUnread(session, presented(1, after(START, 60)));
      expect(outcome).toEqual({ done: false, found: ended });
    });

    test('makes no session that is not there', async () => {
      const session = someSession();
      expect(await store().revokeSession(session, START)).toBe(false);
      expect(await store().findSession(session.userId, session.sessionId)).toBeUndefined();
    });
  });

  test('removing a session leaves nothing to refresh, and its user’s others alone', async () => {
    const session = rotated();
    const other = rotated({ userId: session.userId });
    await store().setSession(session);
    await store().setSession(other);
    await store().removeSession(session);
    await store().removeSession(session);
    expect(await store().findSession(session.userId, session.sessionId)).toBeUndefined();
    expect(await store().findSession(other.userId, other.sessionId)).toEqual(other);
    expect(await store().rotateUnread(session, presented(1, after(START, 60)))).toEqual({
      done: false,
      found: undefined,
    });
  });

  describe('ending the others', () => {
    test('moves the epochs of user and session together', async () => {
      const user = { ...someUser(), epoch: 2 };
      const session = someSession({ userId: user.id, epoch: 2 });
      await store().setUser(user);
      await store().setSession(session);
      expect(await store().endOthers(user, session)).toBe(true);
      expect(await store().findUser(user.id)).toEqual({ ...user, epoch: 3 });
      expect(await store().findSession(user.id, session.sessionId)).toEqual({ ...session, epoch: 3 });
    });

    test.each<[string, number, Partial<Session>]>([
      ['the user’s epoch moved', 1, {}],
      ['the session is of another epoch', 0, { epoch: 1 }],
      ['the session was revoked', 0, { revokedAt: START }],
    ])('does nothing at all where %s', async (_, epoch, changes) => {
      const read = someUser();
      const user = { ...read, epoch };
      const session = someSession({ userId: user.id, ...changes });
      await store().setUser(user);
      await store().setSession(session);
      expect(await store().endOthers(read, session)).toBe(false);
      expect(await store().findUser(user.id)).toEqual(user);
      expect(await store().findSession(user.id, session.sessionId)).toEqual(session);
    });
  });
}
