/** Items that another version of ours wrote, or that somebody bent: each is refused for what is wrong, none is guessed. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Unfit, type Members } from '../../../../functions/shared/domain/unknown.ts';
import { storeClient } from '../../../../functions/shared/store/client.ts';
import { codeFinder } from '../../../../functions/shared/store/codes.ts';
import { loginFrom, loginItem } from '../../../../functions/shared/store/logins.ts';
import { newSessionIn, sessionFrom } from '../../../../functions/shared/store/sessions.ts';
import { userFrom, userItem } from '../../../../functions/shared/store/users.ts';
import { aLogin, aSession, aUser } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';
import { serve } from '../../../support/http-server.ts';

interface Kind {
  readonly item: Members;
  readonly read: (item: Members) => unknown;
  /** Values that are no such thing, by the member that has them. */
  readonly bent: readonly (readonly [string, unknown, string])[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  user: {
    item: userItem(aUser({ displayName: 'Ada', email: 'ada@example.com' })),
    read: userFrom,
    bent: [
      ['status', 'away', 'status is not known'],
      ['id', 'a b', 'id is no user id'],
      ['epoch', 0.5, 'epoch'],
      ['epoch', '0', 'epoch'],
      ['roles', 'admin', 'no list of texts'],
      ['createdAt', 'today', 'createdAt'],
      ['displayName', 7, 'displayName'],
    ],
  },
  session: {
    item: newSessionIn('sessions', aSession()).Item,
    read: sessionFrom,
    bent: [
      ['userId', 'a b', 'userId is no user id'],
      ['sessionId', 'a b', 'sessionId is no session id'],
      ['current', 0.5, 'current'],
      ['current', 2 ** 48, 'current is no counter'],
      ['expiresAt', null, 'expiresAt'],
      ['device', 'phone', 'not an object'],
    ],
  },
  login: {
    item: loginItem('ada', aLogin()),
    read: loginFrom,
    bent: [
      ['userId', 'a b', 'userId is no user id'],
      ['passwordHash', 7, 'passwordHash'],
      ['passwordVersion', '1', 'passwordVersion'],
    ],
  },
};

test.each(Object.entries(KINDS))('the item of a %s reads as what it was made of', (_name, { item, read }) => {
  expect(read(item)).toBeInstanceOf(Object);
});

test.each(Object.entries(KINDS))('the item of a %s of another version is refused', (_name, { item, read }) => {
  const schema = Number(item['schema']) + 1;
  expect(() => read({ ...item, schema })).toThrow(new Unfit('schema is of another version'));
});

test.each(
  Object.entries(KINDS).flatMap(([name, { bent, ...kind }]) => bent.map((one) => [name, ...one, kind] as const)),
)('a %s whose %s is %j is refused in words: %s', (_name, member, value, message, { item, read }) => {
  expect(() => read({ ...item, [member]: value })).toThrow(Unfit);
  expect(() => read({ ...item, [member]: value })).toThrow(message);
});

describe('the item of a code', () => {
  const found = async (changes: Readonly<Record<string, { S: string }>>) => {
    const item = {
      schema: { N: '1' },
      kind: { S: 'verify' },
      userId: { S: aUser().id },
      address: { S: 'ada@example.com' },
      passwordVersion: { N: '1' },
      expiresAt: { N: String(START) },
      ...changes,
    };
    const server = await serve(() => ({ body: JSON.stringify({ Item: item }) }));
    try {
      return await codeFinder(storeClient({ endpoint: server.url }), 'users')('code');
    } finally {
      await server.close();
    }
  };
  beforeAll(() => {
    Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' });
  });

  test('says what the code is for, and is refused where it is for nothing we know', async () => {
    expect(await found({})).toMatchObject({ kind: 'verify', userId: aUser().id });
    expect(await found({ kind: { S: 'reset' } })).toMatchObject({ kind: 'reset' });
    await expect(found({ kind: { S: 'invite' } })).rejects.toThrow(new Unfit('kind is not known'));
  });
});
