/** Every operation, with each of its calls of the store going wrong in each way, and the client asking again afterwards. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { textIn } from '../../functions/shared/domain/unknown.ts';
import type { TokenPair } from '../../functions/shared/token/pair.ts';
import type { Request } from '../support/events.ts';
import { count } from '../support/counts.ts';
import {
  authorizerContext,
  startService,
  type Account,
  type Answer,
  type FunctionName,
  type Service,
} from '../support/service.ts';
import type { Fault, StoreCall } from '../support/store-proxy.ts';
import { undisturbed } from '../support/undisturbed.ts';
import { changeEmail, nextMail, resetToken, tokenIn, verifyAddress } from '../support/verified.ts';

/** In `npm test` one for each call, taken in turn. The delayed call is done after its function gave up. */
const FAULTS: readonly Fault[] = ['cut', 'fail', 'refuse', 'throttle', { delayed: 1_000 }];
const ALL_FAULTS = count(0, 1) === 1;
/** Of a request that is to meet its fault, or none. */
const MOST_ATTEMPTS = 5;
/** Operations side by side, as they wait more than they compute. */
const AT_ONCE = 5;
/** Of one function, so few that its client still retries. */
const FAULTS_PER_START = 5;
const PATIENCE_MS = 1_200_000;
/** The time limits of the functions that meet the faults; what prepares and looks at them has time. */
const AS_ON_AWS = { PATIENCE: '1' };

/** One request whose effect can be looked at. */
interface Attempt {
  readonly request: Request;
  /** What it answers when it is done. */
  readonly done: number;
  /** Whether what it is for has happened. */
  readonly isDone: () => Promise<boolean>;
  /** What may be answered to somebody who asks again for what was done already. */
  readonly doneBefore?: readonly number[];
  /** What has to hold whatever happened: the caller's session, where it is not meant to end. */
  readonly kept?: () => Promise<boolean>;
}

interface Operation {
  readonly name: string;
  readonly fn: FunctionName;
  readonly prepare: () => Promise<Attempt>;
}

/** What goes wrong, by the path of the calls that it happens to. */
const faults = new Map<string, (call: StoreCall) => Fault | undefined>();

let service: Service;
beforeAll(async () => {
  service = await startService();
  service.proxy.disturb((call) => faults.get(call.path)?.(call));
});
afterAll(() => service.stop());

/** What tells one call of an operation from another, and a retry from neither: what it does to which kind of item. */
const kindOf = ({ operation, table, key }: StoreCall) => `${operation} ${table} ${/^\w+#/.exec(key)?.[0] ?? ''}`;

const isGood = async (token: unknown) =>
  (await undisturbed(() => service.call('verify', { json: { token } }))).status === 200;
const never = () => Promise.resolve(true);

async function logsIn({ username }: Account, password: string): Promise<boolean> {
  await service.tables.store.clearAttempts(username.toLowerCase());
  return (await undisturbed(() => service.call('login', { json: { username, password } }))).status === 200;
}

async function login({ username, password }: Account): Promise<TokenPair> {
  const { body } = await undisturbed(() => service.call('login', { json: { username, password } }));
  return { access: textIn(body, 'access'), refresh: textIn(body, 'refresh') };
}

async function loggedIn() {
  const account = await service.account();
  const pair = await login(account);
  return { account, pair, authorizer: authorizerContext(pair.access), kept: () => isGood(pair.refresh) };
}
const stored = (account: Account) => service.tables.store.findUser(account.user.id);
const newEmail = () => `${randomUUID()}@example.com`;
const NEW = 'a new pass-phrase for everybody';

const OPERATIONS: readonly Operation[] = [
  {
    name: 'a login',
    fn: 'login',
    async prepare() {
      const { username, password } = await service.account();
      return { request: { json: { username, password } }, done: 200, isDone: never };
    },
  },
  {
    name: 'a refresh',
    fn: 'refresh',
    async prepare() {
      const { pair, kept } = await loggedIn();
      return { request: { json: { refresh: pair.refresh } }, done: 200, isDone: never, kept };
    },
  },
  {
    name: 'a verification',
    fn: 'verify',
    async prepare() {
      const { pair, kept } = await loggedIn();
      return { request: { json: { token: pair.access } }, done: 200, isDone: never, kept };
    },
  },
  {
    name: 'a log out',
    fn: 'blacklist',
    async prepare() {
      const { pair } = await loggedIn();
      const isDone = async () => !(await isGood(pair.refresh));
      return { request: { json: { refresh: pair.refresh } }, done: 200, isDone };
    },
  },
  {
    name: 'a look at the profile',
    fn: 'profile',
    async prepare() {
      const { authorizer, kept } = await loggedIn();
      return { request: { authorizer }, done: 200, isDone: never, kept };
    },
  },
  {
    name: 'a list of devices',
    fn: 'devices',
    async prepare() {
      const { authorizer, kept } = await loggedIn();
      return { request: { authorizer }, done: 200, isDone: never, kept };
    },
  },
  {
    name: 'a log out of the other devices',
    fn: 'devices',
    async prepare() {
      const { account, authorizer, kept } = await loggedIn();
      const other = await login(account);
      const isDone = async () => !(await isGood(other.refresh));
      return { request: { method: 'DELETE', query: { except: 'current' }, authorizer }, done: 204, isDone, kept };
    },
  },
  {
    name: 'a log out everywhere',
    fn: 'devices',
    async prepare() {
      const { pair, authorizer } = await loggedIn();
      const isDone = async () => !(await isGood(pair.refresh));
      return { request: { method: 'DELETE', authorizer }, done: 204, isDone, doneBefore: [401] };
    },
  },
  {
    name: 'a password change',
    fn: 'password',
    async prepare() {
      const { account, authorizer } = await loggedIn();
      const json = { current_password: account.password, new_password: NEW };
      const isDone = async () => (await logsIn(account, NEW)) && !(await logsIn(account, account.password));
      return { request: { authorizer, json }, done: 200, isDone, doneBefore: [400, 401] };
    },
  },
  {
    name: 'a registration',
    fn: 'register',
    prepare() {
      const username = `new-${randomUUID()}`;
      const account = { username } as Account;
      const json = { username, password: NEW, email: newEmail() };
      return Promise.resolve({ request: { json }, done: 201, isDone: () => logsIn(account, NEW), doneBefore: [409] });
    },
  },
  {
    name: 'a change of the name',
    fn: 'account',
    async prepare() {
      const { account, authorizer, kept } = await loggedIn();
      const isDone = async () => (await stored(account))?.displayName === 'Ada';
      return { request: { authorizer, json: { display_name: 'Ada' } }, done: 200, isDone, kept };
    },
  },
  {
    name: 'a change of the address',
    fn: 'account',
    async prepare() {
      const { account, authorizer, kept } = await loggedIn();
      const email = newEmail();
      const isDone = async () => (await stored(account))?.pendingEmail === email;
      const json = { email, current_password: account.password };
      return { request: { authorizer, json }, done: 200, isDone, kept };
    },
  },
  {
    name: 'an address taken away',
    fn: 'account',
    async prepare() {
      const { account, authorizer, kept } = await loggedIn();
      await verifyAddress(service, account, newEmail());
      const isDone = async () => (await stored(account))?.email === undefined;
      const json = { email: null, current_password: account.password };
      return { request: { authorizer, json }, done: 200, isDone, kept };
    },
  },
  {
    name: 'a verification of an address',
    fn: 'verify-email',
    async prepare() {
      const { account, pair, kept } = await loggedIn();
      const email = newEmail();
      await changeEmail(service, pair, account, email);
      const token = tokenIn(await nextMail(service.mails, email, 'Confirm your email address'));
      const isDone = async () => (await stored(account))?.emailVerified === true;
      return { request: { json: { token } }, done: 200, isDone, doneBefore: [400], kept };
    },
  },
  {
    name: 'a reset',
    fn: 'confirm-reset',
    async prepare() {
      const { account } = await loggedIn();
      const email = newEmail();
      await verifyAddress(service, account, email);
      const token = await resetToken(service, email);
      const isDone = async () => (await logsIn(account, NEW)) && !(await logsIn(account, account.password));
      return { request: { json: { token, new_password: NEW } }, done: 200, isDone, doneBefore: [400] };
    },
  },
  {
    name: 'a deletion',
    fn: 'account',
    async prepare() {
      const { account, authorizer } = await loggedIn();
      const isDone = async () => (await stored(account)) === undefined;
      const json = { current_password: account.password };
      return { request: { method: 'DELETE', authorizer, json }, done: 204, isDone, doneBefore: [401] };
    },
  },
];

/** One operation's own function, whose calls of the store can go wrong while the others' do not. */
class Trial {
  readonly #operation: Operation;
  readonly #path = `/${randomUUID()}/`;
  #send: ((request: Request) => Promise<Answer>) | undefined;
  #met = 0;

  constructor(operation: Operation) {
    this.#operation = operation;
  }

  get #calls(): readonly StoreCall[] {
    return service.proxy.calls.filter(({ path }) => path === this.#path);
  }

  /** The calls that it makes, each kind once. */
  async kinds(): Promise<readonly string[]> {
    const { name, prepare } = this.#operation;
    const send = await this.#started();
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
      // Anew each time: what was answered 503 may have been done.
      const { request, done } = await prepare();
      if ((await send(request)).status === done) return [...new Set(this.#calls.map(kindOf))];
    }
    throw new Error(`${name} is never done`);
  }

  /** Has every call of a kind go wrong, the retries too, as often as it takes for one to meet it. */
  async meets(kind: string, fault: Fault): Promise<void> {
    // The SDK retries no more for a while after many outages; a new client knows of none.
    if (this.#met % FAULTS_PER_START === 0) this.#send = undefined;
    this.#met += 1;
    const what = `${this.#operation.name}, ${kind}: ${JSON.stringify(fault)}`;
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
      if (await this.#isMet(kind, fault, what)) return;
    }
    throw new Error(`nothing met ${what}`);
  }

  async #started(): Promise<(request: Request) => Promise<Answer>> {
    const { fn } = this.#operation;
    return (this.#send ??= await service.another(fn, this.#path, AS_ON_AWS));
  }

  /** @returns false where the request ended before any call met the fault, as a busy machine can make it; that proves nothing */
  async #isMet(kind: string, fault: Fault, what: string): Promise<boolean> {
    const { name, prepare } = this.#operation;
    const { request, done, isDone, doneBefore = [], kept = never } = await prepare();
    const send = await this.#started();
    const first = await this.#disturbed(kind, fault, () => send(request));
    if (first === undefined) return false;
    expect([what, first.status]).toEqual([what, first.status === done ? done : 503]);
    if (first.status === done) expect([what, await isDone()]).toEqual([what, true]);
    else expect([what, first.headers['Retry-After']]).toEqual([what, '5']);
    expect([what, 'kept', await kept()]).toEqual([what, 'kept', true]);
    if (first.status === done) return true;

    let wasDone = await isDone();
    const again = await undisturbed(
      () => send(request),
      async () => {
        wasDone = await isDone();
      },
    );
    if (name === 'a deletion' && again.status === 401) {
      // Its sessions end first, so that nobody is in an account that is half gone; its user logs in and deletes it again.
      expect([what, await isDone()]).toEqual([what, wasDone]);
      return true;
    }
    expect([what, again.status]).toEqual([what, wasDone && doneBefore.includes(again.status) ? again.status : done]);
    expect([what, await isDone()]).toEqual([what, true]);
    expect([what, 'kept', await kept()]).toEqual([what, 'kept', true]);
    return true;
  }

  /** Undefined where there was no call of that kind. */
  async #disturbed(kind: string, fault: Fault, act: () => Promise<Answer>): Promise<Answer | undefined> {
    let hits = 0;
    faults.set(this.#path, (call) => {
      if (kindOf(call) !== kind) return undefined;
      hits += 1;
      return fault;
    });
    try {
      const answer = await act();
      return hits > 0 ? answer : undefined;
    } finally {
      faults.delete(this.#path);
    }
  }
}

async function tried(operation: Operation): Promise<void> {
  const trial = new Trial(operation);
  const kinds = await trial.kinds();
  expect(kinds.length).toBeGreaterThan(0);
  for (const [at, kind] of kinds.entries()) {
    for (const fault of ALL_FAULTS ? FAULTS : [FAULTS[at % 4]!]) await trial.meets(kind, fault);
  }
}

describe('whatever goes wrong with a call of the store', () => {
  const outcomes = new Map<Operation, Promise<void>>();
  beforeAll(async () => {
    const waiting = [...OPERATIONS];
    const inTurn = async () => {
      for (let operation = waiting.shift(); operation !== undefined; operation = waiting.shift()) {
        const outcome = tried(operation);
        outcomes.set(operation, outcome);
        await Promise.allSettled([outcome]);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, inTurn));
  }, PATIENCE_MS);

  test.each(OPERATIONS)('$name is done, or a 503 that can be asked again', (operation) => outcomes.get(operation));
});
