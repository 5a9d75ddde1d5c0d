import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Session } from '../../../functions/shared/domain/session.ts';
import { after, isoTime } from '../../../functions/shared/domain/time.ts';
import { newSessionId, newUserId } from '../../../functions/shared/runtime/ids.ts';
import { sessionFinder, sessionPutter } from '../../../functions/shared/store/sessions.ts';
import { aSession } from '../../support/builders.ts';
import { START } from '../../support/clock.ts';
import { operators, type Operators } from '../../support/operators.ts';

let office: Operators;
beforeAll(async () => {
  office = await operators();
});
afterAll(() => office.close());

async function stored(changes: Partial<Session>): Promise<Session> {
  const session = aSession({ userId: newUserId(), sessionId: newSessionId(), ...changes });
  await sessionPutter(office.client, office.access.sessionsTable)(session);
  return session;
}

/** When a session was ended, as it stands in the table. */
const endedAt = async ({ userId, sessionId }: Session) =>
  (await sessionFinder(office.client, office.access.sessionsTable)(userId, sessionId))!.revokedAt;

const revokeAll = (...options: string[]) => office.run(['revoke-all', ...options]);

test('sessions made before a time end, of every user; one made in that second and one that had ended stay', async () => {
  const one = { userId: newUserId() };
  const older = await Promise.all(
    Array.from({ length: 60 }, (_, at) => stored({ createdAt: after(START, -1), ...(at % 2 === 0 && one) })),
  );
  const [same, later] = [await stored({ ...one, createdAt: START }), await stored({ createdAt: after(START, 1) })];
  const ended = await stored({ createdAt: after(START, -9), revokedAt: after(START, -5) });

  expect(await revokeAll('--before', isoTime(START))).toEqual({ code: 0, out: '60 sessions have ended.\n', err: '' });
  for (const session of older) expect(await endedAt(session)).toBeGreaterThan(START);
  expect([await endedAt(same), await endedAt(later)]).toEqual([undefined, undefined]);
  expect(await endedAt(ended)).toBe(after(START, -5));

  expect(await revokeAll('--before', isoTime(START))).toMatchObject({ out: '0 sessions have ended.\n' });
  // The same moment, a second later, as another zone writes it.
  const inIndia = isoTime(after(START, 1 + 5.5 * 3_600)).replace('Z', '+05:30');
  expect(await revokeAll('--before', inIndia)).toMatchObject({ code: 0, out: '1 session has ended.\n' });
  expect(await revokeAll('--before', 'now')).toMatchObject({ code: 0, out: '1 session has ended.\n' });
  expect(await endedAt(later)).toBeGreaterThan(START);
});

test('what is no session of ours is left alone and said, after the others have ended', async () => {
  const foreign = { userId: 'some body', sessionId: 'some where', createdAt: START };
  await office.client.send(new PutCommand({ TableName: office.access.sessionsTable, Item: foreign }));
  const session = await stored({ createdAt: START });
  expect(await revokeAll('--before', 'now')).toEqual({
    code: 1,
    out: '1 session has ended.\n',
    err: '1 of the sessions could not be read.\n',
  });
  expect(await endedAt(session)).toBeGreaterThan(START);
});

test.each([
  [],
  ['--before', ''],
  ['--before', 'yesterday'],
  ['--before', '2023-11-14'],
  ['--before', '2023-11-14T22:13:20'],
])('%j is no time with its zone, and ends nothing', async (...options) => {
  const session = await stored({ createdAt: START });
  expect(await revokeAll(...options)).toEqual({
    code: 1,
    out: '',
    err: '--before needs a time with its zone, such as 2026-11-24T08:30:00Z, or "now".\n',
  });
  expect(await endedAt(session)).toBeUndefined();
});

test('a time to come is refused', async () => {
  expect(await revokeAll('--before', '2999-01-01T00:00:00Z')).toMatchObject({
    code: 1,
    err: '--before must not be a time to come.\n',
  });
});
