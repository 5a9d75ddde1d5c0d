/** Everything that begins, renews or ends a session, at the same moment as itself and as everything else. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { textIn } from '../../functions/shared/domain/unknown.ts';
import { putStatus } from '../../infra/cli/accounts-store.ts';
import type { TokenPair } from '../../functions/shared/token/pair.ts';
import { count } from '../support/counts.ts';
import type { Request } from '../support/events.ts';
import {
  authorizerContext,
  startService,
  type Account,
  type Answer,
  type FunctionName,
  type Service,
} from '../support/service.ts';
import { undisturbed } from '../support/undisturbed.ts';

const ROUNDS = count(1, 100);
const PARALLEL = 32;
/** Some ten times what the rounds take on a slow engine. */
const PATIENCE_MS = 300_000 + ROUNDS * 9_000;

const KINDS = ['refresh', 'log out', 'change the password', 'disable', 'log in'] as const;
type Kind = (typeof KINDS)[number];
const PAIRS = KINDS.flatMap((one, at) => KINDS.slice(at).map((other): [Kind, Kind] => [one, other]));

let service: Service;
beforeAll(async () => {
  service = await startService();
  // Nobody looks at single calls here, and there are very many.
  Object.assign(process.env, { DYNAMODB_ENDPOINT: service.tables.endpoint });
});
afterAll(() => service.stop());

interface Round {
  readonly account: Account;
  /** The session that is refreshed, logged out and used to change the password. */
  readonly pair: TokenPair;
}

interface Outcome {
  readonly kind: Kind;
  readonly status: number;
  /** Of the session that it began or renewed. */
  readonly pair: TokenPair | undefined;
  /** That the account was to have from then on. */
  readonly password: string | undefined;
}

const ACTS: Readonly<Record<Kind, (round: Round, password: string) => Promise<Pick<Answer, 'status' | 'body'>>>> = {
  refresh: ({ pair }) => service.call('refresh', { json: { refresh: pair.refresh } }),
  'log out': ({ pair }) => service.call('blacklist', { json: { refresh: pair.refresh } }),
  'change the password': ({ account, pair }, password) =>
    service.call('password', {
      authorizer: authorizerContext(pair.access),
      json: { current_password: account.password, new_password: password },
    }),
  disable: async ({ account }) => {
    const { client, names } = service.tables;
    await putStatus(client, names.users, account.user.id, 'disabled');
    return { status: 200, body: {} };
  },
  'log in': ({ account: { username, password } }) => service.call('login', { json: { username, password } }),
};

/** What may be answered: done, refused in the words of the route, or, where too many met, 503. */
const STATUSES: Readonly<Record<Kind, readonly number[]>> = {
  refresh: [200, 401, 503],
  'log out': [200, 401, 503],
  'change the password': [200, 400, 401, 429, 503],
  disable: [200],
  'log in': [200, 401, 503],
};

async function act(kind: Kind, at: number, round: Round): Promise<Outcome> {
  const password = `a new pass-phrase, number ${at}`;
  const { status, body } = await ACTS[kind](round, password);
  const pair = status === 200 && 'refresh' in body ? pairIn({ body }) : undefined;
  return { kind, status, pair, password: kind === 'change the password' ? password : undefined };
}

const answered = (name: FunctionName, request: Request): Promise<Answer> =>
  undisturbed(() => service.call(name, request));

async function expectAlive(alive: boolean, { access, refresh }: TokenPair): Promise<void> {
  const verified = [access, refresh].map((token) => answered('verify', { json: { token } }));
  const statuses = (await Promise.all(verified)).map(({ status }) => status);
  statuses.push((await answered('refresh', { json: { refresh } })).status);
  expect(statuses).toEqual(alive ? [200, 200, 200] : [401, 401, 401]);
}

async function loggedIn({ username }: Account, password: string): Promise<Answer> {
  // So that what is compared is the password, not how many were tried.
  await service.tables.store.clearAttempts(username.toLowerCase());
  return answered('login', { json: { username, password } });
}
const loginStatus = async (account: Account, password: string) => (await loggedIn(account, password)).status;

const pairIn = ({ body }: Pick<Answer, 'body'>): TokenPair => ({
  access: textIn(body, 'access'),
  refresh: textIn(body, 'refresh'),
});

test.each(PAIRS)(
  '%s against %s leaves nothing that should have ended',
  async (one, other) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      service.forget();
      const account = await service.account();
      const pair = pairIn(await loggedIn(account, account.password));
      const outcomes = await Promise.all(
        Array.from({ length: PARALLEL }, (_, at) => act(at % 2 === 0 ? one : other, at, { account, pair })),
      );
      for (const { kind, status } of outcomes) expect(STATUSES[kind]).toContain(status);
      const done = (kind: Kind) => outcomes.filter((each) => each.kind === kind && each.status === 200);
      // Of what was answered 503 nobody knows whether it was done.
      const uncertain = outcomes.some(({ kind, status }) => status === 503 && kind !== 'refresh' && kind !== 'log in');

      const disabled = done('disable').length > 0;
      const changes = done('change the password');
      expect(changes.length).toBeLessThanOrEqual(1);
      const [changed] = changes;
      const ended = disabled || changed !== undefined || done('log out').length > 0;

      const renewed = done('refresh').map((each) => each.pair!);
      expect(new Set(renewed.map(({ refresh }) => refresh)).size).toBeLessThanOrEqual(1);
      const newest = renewed[0] ?? pair;
      if (ended || !uncertain) await expectAlive(!ended, newest);
      const alive = !disabled && changed === undefined;
      if (!alive || !uncertain) await Promise.all(done('log in').map((each) => expectAlive(alive, each.pair!)));
      if (changed !== undefined) {
        await expectAlive(!disabled, changed.pair!);
        expect(await loginStatus(account, account.password)).toBe(401);
        expect(await loginStatus(account, changed.password!)).toBe(disabled ? 401 : 200);
      } else if (disabled || !uncertain) {
        expect(await loginStatus(account, account.password)).toBe(disabled ? 401 : 200);
      }
    }
  },
  PATIENCE_MS,
);

test('a password change by itself ends the session it came from and begins one that lives', async () => {
  const account = await service.account();
  const pair = pairIn(await loggedIn(account, account.password));
  const first = await act('change the password', 1, { account, pair });
  expect([first.status, first.pair === undefined]).toEqual([200, false]);
  await expectAlive(false, pair);
  await expectAlive(true, first.pair!);
});
