import { beforeEach, describe, expect, test } from '@jest/globals';
import { deviceName } from '../../../functions/devices/device-name.ts';
import {
  endAllSessions,
  endOtherSessions,
  endSession,
  listSessions,
  type DevicesNeeds,
} from '../../../functions/devices/devices.ts';
import type { SessionId, UserId } from '../../../functions/shared/domain/ids.ts';
import { after } from '../../../functions/shared/domain/time.ts';
import { aSession, aUser } from '../../support/builders.ts';
import { clockAt, START, type SetClock } from '../../support/clock.ts';
import { memoryStore, type MemoryStore } from '../../support/memory-store.ts';

const idOf = (number: number) => `018bcfe5-6800-7000-8000-00000000000${number}` as SessionId;
const caller = { userId: aUser().id, sessionId: idOf(1) };

let store: MemoryStore;
let clock: SetClock;
let needs: DevicesNeeds;
let noted: object[];

beforeEach(async () => {
  store = memoryStore();
  clock = clockAt();
  noted = [];
  needs = { ...store, now: clock.now, note: (event, details) => void noted.push({ event, ...details }) };
  await store.setUser(aUser());
  for (const number of [1, 2, 3]) await store.setSession(aSession({ sessionId: idOf(number) }));
});

const ids = async (limit = 50, before?: SessionId) =>
  (await listSessions(caller, { limit, ...(before && { before }) }, needs)).results.map(({ id }) => id);

describe('the list of devices', () => {
  test('has the newest login first and marks the one that asks', async () => {
    const { results } = await listSessions(caller, { limit: 50 }, needs);
    expect(results.map(({ id, current }) => [id, current])).toEqual([
      [idOf(3), false],
      [idOf(2), false],
      [idOf(1), true],
    ]);
    expect(results[0]).toMatchObject({
      created_at: '2023-11-14T22:13:20Z',
      last_used_at: '2023-11-14T22:13:20Z',
      expires_at: '2023-12-14T22:13:20Z',
      address: '203.0.113.7',
      device: 'test',
    });
  });

  test('leaves out what was ended, has expired or belongs to an earlier epoch', async () => {
    await store.setSession(aSession({ sessionId: idOf(2), revokedAt: START }));
    await store.setSession(aSession({ sessionId: idOf(3), expiresAt: after(START, 60) }));
    await store.setSession(aSession({ sessionId: idOf(4), epoch: -1 }));
    expect(await ids()).toEqual([idOf(3), idOf(1)]);
    clock.advance(59);
    expect(await ids()).toContain(idOf(3));
    clock.advance(1);
    expect(await ids()).toEqual([idOf(1)]);
  });

  test('comes in pages that hold every session once', async () => {
    const first = await listSessions(caller, { limit: 2 }, needs);
    expect(first.results).toHaveLength(2);
    expect(await ids(2, first.next)).toEqual([idOf(1)]);
  });

  test('refuses a caller whose session has ended', async () => {
    await store.setSession(aSession({ sessionId: idOf(1), revokedAt: START }));
    await expect(ids()).rejects.toMatchObject({ reason: 'bearer-refused' });
  });
});

describe('ending devices', () => {
  test('ends one, and only that one', async () => {
    await endSession(caller, idOf(2), needs);
    expect(await ids()).toEqual([idOf(3), idOf(1)]);
  });

  test('knows nothing of a session that is another user’s, ended, or no session id at all', async () => {
    const stranger = aUser({ id: 'somebody-else' as UserId });
    await store.setUser(stranger);
    await store.setSession(aSession({ userId: stranger.id, sessionId: idOf(7) }));
    await endSession(caller, idOf(2), needs);
    for (const id of [idOf(7), idOf(2), 'no/session']) {
      await expect(endSession(caller, id, needs)).rejects.toMatchObject({ reason: 'not-found' });
    }
    expect((await store.findSession(stranger.id, idOf(7)))?.revokedAt).toBeUndefined();
  });

  test('ends all of them with one write', async () => {
    await endAllSessions(caller, needs);
    expect(store.calls.filter((name) => name !== 'findSession' && name !== 'findUser')).toEqual(['raiseEpoch']);
    await expect(ids()).rejects.toMatchObject({ reason: 'bearer-refused' });
  });

  test('ends all but the one that asks', async () => {
    await endOtherSessions(caller, needs);
    expect(await ids()).toEqual([idOf(1)]);
  });

  test('tries again when it loses a race, and says so when it keeps losing', async () => {
    let losses = 1;
    const racing = {
      ...needs,
      endOthers: (...args: Parameters<DevicesNeeds['endOthers']>) =>
        losses-- > 0 ? Promise.resolve(false) : needs.endOthers(...args),
    };
    await endOtherSessions(caller, racing);
    expect(await ids()).toEqual([idOf(1)]);
    losses = 3;
    await expect(endOtherSessions(caller, racing)).rejects.toMatchObject({ name: 'Outage' });
  });
});

describe('what is noted', () => {
  test('is a session that was ended, a log out where it is the caller’s own, and nothing where it was out already', async () => {
    await endSession(caller, idOf(2), needs);
    await expect(endSession(caller, idOf(2), needs)).rejects.toMatchObject({ reason: 'not-found' });
    await endOtherSessions(caller, needs);
    await endSession(caller, idOf(1), needs);
    expect(noted).toEqual([
      { event: 'session-ended', userId: caller.userId, sessionId: idOf(2) },
      { event: 'logout-everywhere', ...caller, reason: 'except-current' },
      { event: 'logout', ...caller },
    ]);
  });

  test('is a log out everywhere, once', async () => {
    await endAllSessions(caller, needs);
    expect(noted).toEqual([{ event: 'logout-everywhere', ...caller }]);
  });
});

describe('the name of a device', () => {
  test.each([
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0', 'Firefox on Windows'],
    ['curl/8.5.0', 'curl'],
    ['OurApp/3.1 (build 7)', 'OurApp'],
    ['', 'Unknown device'],
    ['///', 'Unknown device'],
  ])('%j is %j', (userAgent, name) => {
    expect(deviceName(userAgent)).toBe(name);
  });

  test('is short and has no control characters, whatever was sent', () => {
    expect(deviceName(`a\u001b[31m\u202e${'x'.repeat(500)}`)).toMatch(/^[\x20-\x7e]{1,80}$/);
  });
});
