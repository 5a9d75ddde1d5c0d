import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Outage } from '../../../../functions/shared/domain/refusal.ts';
import { clockAt, type SetClock } from '../../../support/clock.ts';
import { serve, type Answer, type TestServer } from '../../../support/http-server.ts';
import { logged, quietly } from '../../../support/logged.ts';

type Secrets = typeof import('../../../../functions/shared/runtime/secrets.ts');

let server: TestServer;
let answer: (path: string) => Answer;
let secrets: Secrets;

beforeAll(async () => {
  server = await serve(({ path }) => answer(path));
  Object.assign(process.env, { SECRETS_ENDPOINT: server.url, AWS_SESSION_TOKEN: 'a session/token+==', PATIENCE: '4' });
  secrets = await import('../../../../functions/shared/runtime/secrets.ts');
});
afterAll(() => server.close());

beforeEach(() => {
  server.received.length = 0;
});

describe('a cached value', () => {
  let clock: SetClock;
  let loads: number;
  let load: () => Promise<string>;
  let read: (suffices?: (value: string) => boolean) => Promise<string>;

  beforeEach(() => {
    clock = clockAt();
    loads = 0;
    load = () => Promise.resolve('first');
    read = secrets.cached(
      'secret',
      () => {
        loads += 1;
        return load();
      },
      clock.now,
    );
  });

  const fail = () => Promise.reject(new Error('hunter2'));

  test('is loaded at the first call, not before', async () => {
    expect(loads).toBe(0);
    expect(await read()).toBe('first');
    expect(loads).toBe(1);
  });

  test('is fresh for 300 seconds', async () => {
    await read();
    load = () => Promise.resolve('second');
    clock.advance(299);
    expect(await read()).toBe('first');
    expect(loads).toBe(1);
    clock.advance(1);
    expect(await read()).toBe('second');
    expect(loads).toBe(2);
    clock.advance(299);
    await read();
    expect(loads).toBe(2);
  });

  test('is loaded once for all that ask at the same time', async () => {
    expect(await Promise.all(Array.from({ length: 100 }, () => read()))).toEqual(Array(100).fill('first'));
    expect(loads).toBe(1);
    clock.advance(300);
    await Promise.all(Array.from({ length: 100 }, () => read()));
    expect(loads).toBe(2);
  });

  test('stays in service while it cannot be loaded, and is tried again after 10 seconds', async () => {
    await read();
    load = fail;
    clock.advance(300);
    const { value, lines } = await logged(read);
    expect(value).toBe('first');
    expect(JSON.parse(String(lines[0]))).toMatchObject({
      level: 'ERROR',
      event: 'secret-unreachable',
      error: 'Error',
      stale: true,
    });
    expect(lines.join('')).not.toContain('hunter2');
    clock.advance(9);
    expect(await read()).toBe('first');
    expect(loads).toBe(2);
    load = () => Promise.resolve('second');
    clock.advance(1);
    expect(await read()).toBe('second');
    expect(loads).toBe(3);
    clock.advance(299);
    await read();
    expect(loads).toBe(3);
  });

  test('stays in service for a day, and is an outage from then on until it can be loaded', async () => {
    await read();
    load = fail;
    clock.advance(86_399);
    expect(await quietly(read)).toBe('first');
    clock.advance(1);
    await quietly(() => expect(read()).rejects.toMatchObject({ name: 'Outage', message: 'secret unreachable' }));
    load = () => Promise.resolve('second');
    clock.advance(10);
    expect(await read()).toBe('second');
  });

  test('is as old as the question for it, however long the answer takes', async () => {
    load = () => {
      clock.advance(299);
      return Promise.resolve('first');
    };
    await read();
    load = () => Promise.resolve('second');
    clock.advance(1);
    expect(await read()).toBe('second');
  });

  describe('that lacks what is looked for', () => {
    const isSecond = (value: string) => value === 'second';

    test('is loaded once more, for all that look at the same time', async () => {
      await read();
      clock.advance(10);
      load = () => Promise.resolve('second');
      expect(await Promise.all(Array.from({ length: 100 }, () => read(isSecond)))).toEqual(Array(100).fill('second'));
      expect(loads).toBe(2);
      expect(await read(isSecond)).toBe('second');
      expect(loads).toBe(2);
    });

    test('is loaded once in ten seconds at the most, whatever is looked for', async () => {
      await read();
      for (let second = 1; second <= 100; second += 1) {
        clock.advance(1);
        for (let forged = 1; forged <= 10; forged += 1) expect(await read(isSecond)).toBe('first');
      }
      expect(loads).toBe(1 + 10);
    });

    test('is loaded at once where it was due to be a moment ago, but not again for the question that it was loaded for', async () => {
      await read();
      clock.advance(300);
      expect(await read(isSecond)).toBe('first');
      expect(loads).toBe(2);
      load = () => Promise.resolve('second');
      clock.advance(1);
      expect(await read(isSecond)).toBe('second');
      expect(loads).toBe(3);
    });

    test('is fresh for 300 seconds after that', async () => {
      await read();
      clock.advance(200);
      await read(isSecond);
      clock.advance(299);
      await read();
      expect(loads).toBe(2);
      clock.advance(1);
      await read();
      expect(loads).toBe(3);
    });

    test('and cannot be loaded is an outage: nobody can say that there is no such thing', async () => {
      await read();
      load = fail;
      clock.advance(10);
      const outage = { name: 'Outage', message: 'secret unreachable' };
      await quietly(() => expect(read(isSecond)).rejects.toMatchObject(outage));
      await expect(read(isSecond)).rejects.toMatchObject(outage);
      expect(loads).toBe(2);
      // What it has still serves.
      expect(await read()).toBe('first');
      expect(await read((value) => value === 'first')).toBe('first');
      load = () => Promise.resolve('second');
      clock.advance(10);
      expect(await read(isSecond)).toBe('second');
    });
  });

  test('keeps to other terms where it is told', async () => {
    const other = secrets.cached('secret', () => ((loads += 1), load()), clock.now, { freshFor: 2, staleFor: 20 });
    await other();
    clock.advance(1);
    await other();
    expect(loads).toBe(1);
    clock.advance(1);
    await other();
    expect(loads).toBe(2);
    load = fail;
    clock.advance(19);
    expect(await quietly(other)).toBe('first');
    clock.advance(1);
    await quietly(() => expect(other()).rejects.toBeInstanceOf(Outage));
  });

  test('that never was is an outage for all that ask, without the cause in its message, and the next call tries again', async () => {
    load = fail;
    const all = await quietly(() => Promise.allSettled([read(), read(), read()]));
    expect(loads).toBe(1);
    for (const one of all) {
      expect(one).toMatchObject({ status: 'rejected', reason: { name: 'Outage', message: 'secret unreachable' } });
    }
    load = () => Promise.resolve('first');
    expect(await read()).toBe('first');
  });

  test('may be nothing at all', async () => {
    const nothing = secrets.cached(
      'secret',
      () => {
        loads += 1;
        return Promise.resolve(undefined);
      },
      clock.now,
    );
    await nothing();
    await nothing();
    expect(loads).toBe(1);
  });

  test('may be loaded by something that throws at once', async () => {
    const broken = secrets.cached(
      'secret',
      () => {
        throw new Error('hunter2');
      },
      clock.now,
    );
    await quietly(() => expect(broken()).rejects.toBeInstanceOf(Outage));
  });
});

describe('a secret', () => {
  const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys/a b-AbCdEf';

  test('is asked of the extension, with the token that only this function has', async () => {
    answer = () => ({ body: JSON.stringify({ ARN, SecretString: 'ring' }) });
    const read = secrets.secret(ARN, (text) => Promise.resolve(`understood ${text}`));
    expect(server.received).toHaveLength(0);
    expect(await read()).toBe('understood ring');
    expect(server.received).toEqual([
      expect.objectContaining({
        method: 'GET',
        path: `/secretsmanager/get?secretId=${encodeURIComponent(ARN)}`,
        headers: expect.objectContaining({ 'x-aws-parameters-secrets-token': 'a session/token+==' }) as unknown,
      }),
    ]);
    await read();
    expect(server.received).toHaveLength(1);
  });

  test('is a text in UTF-8, also where it comes in pieces', async () => {
    const text = 'é\u{1f511}'.repeat(50_000);
    answer = () => ({ body: JSON.stringify({ SecretString: text }) });
    expect(await secrets.secret(ARN, (one) => one)()).toBe(text);
  });

  const broken: [string, Answer][] = [
    ['no JSON', { body: '{"SecretString":"hunter2"' }],
    ['a word', { body: 'hunter2' }],
    ['null', { body: 'null' }],
    ['a list', { body: '["hunter2"]' }],
    ['no secret', { body: '{"other":"hunter2"}' }],
    ['a secret that is no text', { body: '{"SecretString":{"hunter2":1}}' }],
    ['a refusal', { status: 403, body: 'hunter2' }],
    ['an error', { status: 500, body: '{"SecretString":"hunter2"}' }],
    ['nothing and hangs up', 'hang-up'],
    ['nothing', 'never'],
    ['half an answer', { body: '{"Secret', headers: { 'Content-Length': '100' } }],
  ];

  test.each(broken)(
    'is out of reach where the extension answers %s, and nothing of it gets into a message',
    async (_, reply) => {
      answer = () => reply;
      const { value: error, lines } = await logged(() =>
        secrets
          .secret(ARN, (text) => text)()
          .catch((thrown: unknown) => thrown),
      );
      expect(error).toMatchObject({ name: 'Outage', message: 'secret unreachable' });
      const { cause } = error as Outage;
      expect(cause).toHaveProperty('message');
      expect(String(cause) + lines.join('')).not.toContain('hunter2');
      expect(lines).toHaveLength(1);
    },
  );

  test('that cannot be understood is out of reach, and nothing of it gets into a log', async () => {
    answer = () => ({ body: JSON.stringify({ SecretString: 'hunter2' }) });
    const read = secrets.secret(ARN, (text): string => JSON.parse(text) as string);
    const { lines } = await logged(() => expect(read()).rejects.toMatchObject({ message: 'secret unreachable' }));
    expect(lines.join('')).not.toContain('hunter2');
  });
});

describe('a parameter', () => {
  test('is asked of the extension too', async () => {
    answer = () => ({ body: JSON.stringify({ Parameter: { Name: '/a/b', Value: 'set' } }) });
    expect(await secrets.parameter('/a/b', (text) => text)()).toBe('set');
    expect(server.received[0]).toMatchObject({
      path: '/systemsmanager/parameters/get?name=%2Fa%2Fb',
      headers: { 'x-aws-parameters-secrets-token': 'a session/token+==' },
    });
  });

  test.each(['{}', '{"Parameter":null}', '{"Parameter":{}}', '{"Parameter":{"Value":1}}', '{"SecretString":"x"}'])(
    'is out of reach where the answer is %s',
    async (body) => {
      answer = () => ({ body });
      const read = secrets.parameter('p', (text) => text);
      await quietly(() => expect(read()).rejects.toMatchObject({ name: 'Outage', message: 'parameter unreachable' }));
    },
  );
});
