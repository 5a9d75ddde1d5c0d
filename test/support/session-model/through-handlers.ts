import { AsyncLocalStorage } from 'node:async_hooks';
import { jest } from '@jest/globals';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { decodeJwt } from 'jose';
import { unixSeconds } from '../../../functions/shared/domain/time.ts';
import { textIn } from '../../../functions/shared/domain/unknown.ts';
import { sessionKey } from '../../../functions/shared/store/schema.ts';
import { putStatus } from '../../../infra/cli/accounts-store.ts';
import { within } from '../../../infra/local/within.ts';
import type { Request } from '../events.ts';
import { startService, type Account, type Answer as HttpAnswer, type FunctionName, type Service } from '../service.ts';
import type { Fault, StoreCall as ProxiedCall } from '../store-proxy.ts';
import {
  LIFETIMES,
  START,
  type Answer,
  type Backup,
  type Pair,
  type SessionsUnderTest,
  type StoreCall,
  type Weather,
} from './driver.ts';
import { Gates, type About, type Done } from './gates.ts';

/**
 * What the functions' clock says. Only they go by it: keys are read again over HTTP and calls of the store are limited
 * in time, and both need timers that run.
 */
let time = unixSeconds(START);
jest.unstable_mockModule('../../../functions/shared/runtime/clock.ts', () => ({ now: () => time }));

/** A request that neither asks the store nor answers for so long never will. */
const PATIENCE_MS = 20_000;

/** The handlers on an engine of their own. */
export interface Handlers {
  /** The sessions of a new user, from {@link START} on. Those that were begun before are over. */
  begin(): Promise<SessionsUnderTest>;
  stop(): Promise<void>;
}

export async function startHandlers(): Promise<Handlers> {
  const service = await startService({
    ACCESS_TOKEN_LIFETIME_SECONDS: String(LIFETIMES.access),
    SESSION_IDLE_SECONDS: String(LIFETIMES.idle),
    SESSION_LIFETIME_SECONDS: String(LIFETIMES.absolute),
    SESSIONS_PER_USER: '500',
    // Days go by in a second. Where the keys cannot be read for that long, those at hand will do.
    KEY_MAX_STALE_SECONDS: '604800',
  });
  const hold = await heldCalls(service);
  // The others have no faults to meet, and there are very many calls.
  Object.assign(process.env, { DYNAMODB_ENDPOINT: service.tables.endpoint });
  for (const name of ['login', 'verify', 'blacklist', 'devices', 'password'] as const) {
    await start(service, name, (_, send) => send());
  }
  return {
    async begin() {
      service.forget();
      time = unixSeconds(START);
      return new SessionsThroughHandlers(service, hold, await service.account());
    },
    stop: () => service.stop(),
  };
}

/** What a function asks of the store: the table, none for a transaction, and what does it. */
type Way = (table: string | undefined, send: () => Promise<unknown>) => Promise<unknown>;

/**
 * Starts a function whose calls of the store go a way of ours where its client takes them. From there on they are as
 * ever, over HTTP to the engine.
 */
async function start(service: Service, name: FunctionName, way: Way): Promise<void> {
  await service.restart(name);
  // The one that the function has just got.
  const { prototype } = (await import('@aws-sdk/lib-dynamodb')).DynamoDBDocumentClient;
  const send: unknown = Reflect.get(prototype, 'send');
  if (typeof send !== 'function') throw new Error('a client of the store sends');
  const value = function (this: unknown, command: { readonly input: { readonly TableName?: string } }) {
    const straight = () => Promise.resolve<unknown>(Reflect.apply(send, this, [command]));
    return way(command.input.TableName, straight);
  };
  Object.defineProperty(prototype, 'send', { value });
}

/** Runs a refresh whose calls of the store wait at gates. */
type Hold = (gates: Gates, weather: Weather, act: () => Promise<Answer>) => Promise<Answer>;

async function heldCalls(service: Service): Promise<Hold> {
  const requests = new AsyncLocalStorage<{ readonly gates: Gates; readonly weather: Weather }>();
  await start(service, 'refresh', (table, send) => {
    const request = requests.getStore();
    if (request === undefined) throw new Error('every refresh is one of the model');
    const about: About = table === service.tables.names.users ? 'user' : 'session';
    return request.gates.hold(about, () => through(service, about, request.weather, send));
  });
  return (gates, weather, act) => requests.run({ gates, weather }, act);
}

const FAULTS: Readonly<Record<About, Partial<Record<Weather['fault'], Fault>>>> = {
  // Not one that the client tries again, which it does no more after a few dozen.
  user: { 'user-unreachable': 'forbid' },
  // Only the answer to a write that went through is worth losing.
  session: { 'heard-twice': 'cut-success' },
};

/** Lets a call through to the engine, in its weather. No other one is under way. */
async function through<Value>(
  { proxy }: Service,
  about: About,
  { fault }: Weather,
  send: () => Promise<Value>,
): Promise<Done<Value>> {
  const from = proxy.calls.length;
  proxy.disturb(() => (proxy.calls.length === from + 1 ? FAULTS[about][fault] : undefined));
  const outcome = send();
  await Promise.allSettled([outcome]);
  proxy.disturb(() => undefined);
  const made = proxy.calls.slice(from);
  return { calls: about === 'user' ? ['user-read'] : made.flatMap(writeOf), outcome };
}

/** What a write did, whoever heard of it; nothing where it did not get to the engine. */
const writeOf = ({ status }: ProxiedCall): StoreCall[] =>
  status === undefined ? [] : [status === 200 ? 'written' : 'not-written'];

/**
 * Waits until a request has asked or answered what it can: it begins with both calls at once, and from then on makes
 * one that it needs or none. An unreachable user is answered at once, whatever became of the write.
 */
async function atRest(gates: Gates, { fault }: Weather): Promise<void> {
  const isUnreachable = () => fault === 'user-unreachable' && gates.opened.includes('user');
  const due = gates.opened.length === 0 ? 2 : 1;
  while (!gates.isAnswered && (isUnreachable() || gates.held < due)) {
    const news = gates.news.then(() => true);
    if (!(await within(PATIENCE_MS, news))) throw new Error('a request neither asks the store nor answers');
  }
}

/** The user of a run, through the events that API Gateway makes of requests. */
class SessionsThroughHandlers implements SessionsUnderTest {
  readonly #service: Service;
  readonly #hold: Hold;
  readonly #account: Account;
  #password: string;
  #changes = 0;

  constructor(service: Service, hold: Hold, account: Account) {
    this.#service = service;
    this.#hold = hold;
    this.#account = account;
    this.#password = account.password;
  }

  setClock(now: number): void {
    time = unixSeconds(now);
  }

  async login(client: string): Promise<Pair> {
    const { username } = this.#account;
    return pairIn(await this.#call('login', { ...from(client), json: { username, password: this.#password } }, [200]));
  }

  present(refresh: string, client: string, weather: Weather) {
    const gates = new Gates(weather.first, (gates) => atRest(gates, weather));
    const request = { ...from(client), json: { refresh } };
    const answer = this.#hold(gates, weather, async () => {
      const answer = await this.#call('refresh', request, [200, 401, 503]);
      if (answer.status === 200) return { kind: 'pair', pair: pairIn(answer) };
      return { kind: answer.status === 401 ? 'refused' : 'unavailable' };
    });
    return gates.around(answer);
  }

  async verify(token: string, client: string): Promise<boolean> {
    return (await this.#call('verify', { ...from(client), json: { token } }, [200, 401])).status === 200;
  }

  async logOut(refresh: string): Promise<void> {
    await this.#call('blacklist', { json: { refresh } }, [200, 401]);
  }

  async logOutEverywhere(by?: string): Promise<void> {
    if (by === undefined) await this.#service.tables.store.raiseEpoch(this.#account.user.id);
    else await this.#call('devices', { method: 'DELETE', authorizer: callerOf(by) }, [204]);
  }

  async logOutOthers(by: string): Promise<void> {
    const request = { method: 'DELETE', query: { except: 'current' }, authorizer: callerOf(by) };
    await this.#call('devices', request, [204]);
  }

  async changePassword(by: string, client: string): Promise<Pair> {
    this.#changes += 1;
    const wanted = `pass-phrase number ${this.#changes} of this user`;
    const json = { current_password: this.#password, new_password: wanted };
    const answer = await this.#call('password', { ...from(client), json, authorizer: callerOf(by) }, [200]);
    this.#password = wanted;
    return pairIn(answer);
  }

  async setActive(active: boolean): Promise<void> {
    const { client, names } = this.#service.tables;
    await putStatus(client, names.users, this.#account.user.id, active ? 'active' : 'disabled');
  }

  async backUp(refresh: string): Promise<Backup> {
    const { client, names } = this.#service.tables;
    const { sub, sid } = callerOf(refresh);
    const get = new GetCommand({ TableName: names.sessions, Key: sessionKey(sub, sid), ConsistentRead: true });
    const { Item } = await client.send(get);
    return {
      async restore() {
        await client.send(new PutCommand({ TableName: names.sessions, Item }));
      },
    };
  }

  /** @throws {Error} where the answer is none of those that a client may get here */
  async #call(name: FunctionName, request: Request, statuses: readonly number[]): Promise<HttpAnswer> {
    const answer = await this.#service.call(name, request);
    if (!statuses.includes(answer.status)) throw new Error(`${name} was answered ${answer.status}`);
    return answer;
  }
}

const pairIn = ({ body }: HttpAnswer): Pair => ({ access: textIn(body, 'access'), refresh: textIn(body, 'refresh') });

/** What the authorizer hands on of the access token that came with a refresh token, or a newer one. */
function callerOf(refresh: string) {
  const { sub = '', sid } = decodeJwt<{ sid: string }>(refresh);
  return { sub, sid, exp: time + LIFETIMES.access };
}

const PLACES = ['home', 'street', 'elsewhere', 'anywhere', 'train'];

/** The last word of a client is where it is. */
function from(client: string): Pick<Request, 'address' | 'userAgent'> {
  const place = client.split(' ').at(-1)!;
  if (!PLACES.includes(place)) throw new Error(`${place} has no address`);
  return { address: `198.51.100.${PLACES.indexOf(place)}`, userAgent: client.slice(0, -place.length).trim() };
}
