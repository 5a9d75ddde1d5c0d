import { blacklist, type BlacklistNeeds } from '../../functions/blacklist/blacklist.ts';
import { login, type LoginAnswer, type LoginNeeds } from '../../functions/login/login.ts';
import { changePassword, type PasswordNeeds } from '../../functions/password/password.ts';
import { profile } from '../../functions/profile/profile.ts';
import { refresh, type RefreshNeeds } from '../../functions/refresh/refresh.ts';
import type { SecurityEvent } from '../../functions/shared/domain/events.ts';
import type { Profile } from '../../functions/shared/domain/profile.ts';
import { Outage, Refusal } from '../../functions/shared/domain/refusal.ts';
import type { Caller, StandingNeeds } from '../../functions/shared/domain/standing.ts';
import type { User } from '../../functions/shared/domain/user.ts';
import { passwordsWith } from '../../functions/shared/password/hash.ts';
import { newDeviceId, newSessionId, newTokenId, newUserId } from '../../functions/shared/runtime/ids.ts';
import { deviceReaderWith, deviceTokensWith } from '../../functions/shared/token/device-token.ts';
import { sharedSecretsFrom } from '../../functions/shared/token/key-ring.ts';
import { pairsWith, type TokenPair } from '../../functions/shared/token/pair.ts';
import { localKeySetFrom } from '../../functions/shared/token/public-keys.ts';
import {
  importedSecretsFrom,
  refreshReaderWith,
  refreshTokensWith,
} from '../../functions/shared/token/refresh-token.ts';
import { importedRingFrom, signerWith } from '../../functions/shared/token/sign.ts';
import { verifierWith } from '../../functions/shared/token/verify.ts';
import { verify, type VerifyNeeds } from '../../functions/verify/verify.ts';
import { aUser, client } from './builders.ts';
import { clockAt, type SetClock } from './clock.ts';
import { newKeyTexts } from './keys.ts';
import { memoryStore, type MemoryStore } from './memory-store.ts';

const DAY = 86_400;
/** How long things live in these tests, in seconds: the defaults. */
export const LIFETIMES = { access: 900, idle: 30 * DAY, absolute: 90 * DAY };
/** Of bcrypt; the lowest there is. */
export const COST = 4;

const keys = await newKeyTexts();
const signingRing = await importedRingFrom(keys.signing);
const refreshRing = await importedSecretsFrom(keys.refresh);
const peppers = sharedSecretsFrom(keys.peppers);
const terms = { issuer: 'https://issuer.example', audience: 'api', clientId: 'latchkey', lifetime: LIFETIMES.access };

export interface Account {
  readonly username: string;
  readonly password: string;
  readonly user: User;
}

/** The operations over a store in memory and a clock that stands still, with real tokens and real hashes. */
export interface World {
  readonly clock: SetClock;
  readonly store: MemoryStore;
  /** Every security event. */
  readonly events: { readonly event: SecurityEvent; readonly reason?: string | undefined }[];
  /** What went to the operations' `warn` and `note`, but for logins and refreshes that went well. */
  readonly noted: string[];
  readonly needs: LoginNeeds & RefreshNeeds & VerifyNeeds & BlacklistNeeds & PasswordNeeds & StandingNeeds;
  account(changes?: Partial<User>, cost?: number): Promise<Account>;
  /** As an operator would set it: everything at once. */
  setPassword(account: Account, password: string): Promise<void>;
  changePassword(caller: Caller, current: string, wanted: string, needs?: Partial<PasswordNeeds>): Promise<TokenPair>;
  login(
    account: Pick<Account, 'username' | 'password'> & { readonly deviceToken?: string },
    needs?: Partial<LoginNeeds>,
  ): Promise<LoginAnswer>;
  refresh(token: string, from?: string, needs?: Partial<RefreshNeeds>): Promise<TokenPair>;
  verify(token: string, from?: string): Promise<void>;
  blacklist(token: string, needs?: Partial<BlacklistNeeds>): Promise<void>;
  profile(caller: Caller, needs?: Partial<StandingNeeds>): Promise<Profile>;
}

export function newWorld(): World {
  const clock = clockAt();
  const store = memoryStore();
  const events: World['events'] = [];
  const noted: string[] = [];
  const at = (cost: number) => passwordsWith(() => Promise.resolve(peppers), cost, clock.now);
  const readToken = refreshReaderWith(() => Promise.resolve(refreshRing));
  const keySet = localKeySetFrom(keys.published);

  const needs: World['needs'] = {
    ...store,
    now: clock.now,
    passwords: at(COST),
    newSessionId,
    pair: pairsWith(
      signerWith(() => Promise.resolve(signingRing)),
      refreshTokensWith(() => Promise.resolve(refreshRing)),
      terms,
      newTokenId,
    ),
    lifetimes: LIFETIMES,
    idle: LIFETIMES.idle,
    readToken,
    readRefreshToken: readToken,
    verifyAccessToken: verifierWith(keySet, terms),
    warn: (event) => void noted.push(event),
    note: (event, details) => {
      events.push({ event, ...details });
      if (event !== 'login' && event !== 'refresh') noted.push(event);
    },
    failures: { count: () => Promise.resolve({ mayTry: true }), giveBack: () => Promise.resolve() },
    readDevice: deviceReaderWith(() => Promise.resolve(refreshRing)),
    makeDevice: deviceTokensWith(() => Promise.resolve(refreshRing)),
    newDeviceId,
    sessionsPerUser: 50,
    minimumLength: 15,
  };
  const seen = { client: client('phone'), device: { address: '203.0.113.7', userAgent: 'test/1' } };

  return {
    clock,
    store,
    events,
    noted,
    needs,
    async account(changes = {}, cost = COST) {
      const user = aUser({ id: newUserId(), ...changes });
      const password = 'correct horse battery staple';
      await store.setUser(user);
      await store.setLogin(user.username.toLowerCase(), {
        userId: user.id,
        passwordHash: await at(cost).hash(password),
        passwordVersion: user.passwordVersion,
      });
      return { username: user.username, password, user };
    },
    changePassword: (caller, current, wanted, other) =>
      changePassword(caller, { current, wanted }, seen, { ...needs, ...other }),
    async setPassword({ username, user }, password) {
      const passwordHash = await at(COST).hash(password);
      const now = (await store.findUser(user.id)) ?? user;
      const passwordVersion = now.passwordVersion + 1;
      await store.setUser({ ...now, passwordVersion, epoch: now.epoch + 1 });
      await store.setLogin(username.toLowerCase(), { userId: user.id, passwordHash, passwordVersion });
    },
    login: ({ username, password, deviceToken }, other) =>
      login({ username, password, deviceToken }, seen, { ...needs, ...other }),
    refresh: (token, from = 'phone', other) => refresh(token, client(from), { ...needs, ...other }),
    verify: (token, from = 'phone') => verify(token, client(from), needs),
    blacklist: (token, other) => blacklist(token, { ...needs, ...other }),
    profile: (caller, other) => profile(caller, { ...needs, ...other }),
  };
}

/** Why an operation declined: the reason of a refusal, or `outage`. @throws {unknown} whatever else it threw */
export async function refusalOf(operation: Promise<unknown>): Promise<string> {
  try {
    await operation;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    if (error instanceof Outage) return 'outage';
    throw error;
  }
  return 'accepted';
}

/** A store that is out of reach. */
export const unreachable = (): Promise<never> => Promise.reject(new Outage('store out of reach'));
