/** What docs/clients.md tells those who bring a client of their own, run against the deployed bundles. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import axios, { type AxiosError } from 'axios';
import { decodeJwt } from 'jose';
import { readdirSync, readFileSync } from 'node:fs';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { setStatus } from '../../infra/cli/accounts.ts';
import { aGateway, PASSWORD, type TestGateway } from '../support/local-gateway.ts';
import { wireTo, type Wire } from '../support/wire.ts';
import { withTokens } from './axios.ts';
import { latchkey, type PairStore } from './fetch.ts';
import { followed } from './react.ts';
import { simpleJwtClient, type SimpleJwtClient } from './simple-jwt.ts';
import { storeIn } from './storage.ts';

/** Long beside what a request takes on a busy machine, so that a new token is still good when it is used. */
const ACCESS_SECONDS = 20;
const REFRESH = 'POST /api/token/refresh';

let gateway: TestGateway;
let wire: Wire;
/** Logged in before everything else. */
let early: SimpleJwtClient;

beforeAll(async () => {
  gateway = await aGateway({ ACCESS_TOKEN_LIFETIME_SECONDS: String(ACCESS_SECONDS) });
  wire = await wireTo(gateway.url);
  await gateway.user('ada');
  early = simpleJwtClient(wire.url);
  await early.login('ada', PASSWORD);
});
afterAll(async () => {
  await wire.close();
  await gateway.close();
});

const refreshesDuring = async (act: () => Promise<unknown>): Promise<number> => {
  const before = wire.passed.length;
  await act();
  // With or without the slash: a redirect and what it leads to are one refresh.
  return wire.passed.slice(before).filter((line) => line === REFRESH).length;
};

/** An access token that the API refuses, as it does one that has expired. */
const spoilt = (token = '') => `${token.slice(0, -4)}AAAA`;

const answerTo = (failure: unknown) => {
  const { response } = failure as AxiosError<Record<string, unknown>>;
  return { status: response?.status, data: response?.data };
};

describe('a client written for Simple JWT', () => {
  const client = async (keepsSuccessors = true) => {
    const made = simpleJwtClient(wire.url, keepsSuccessors);
    await made.login('ada', PASSWORD);
    return made;
  };
  const spoil = ({ storage }: { storage: Map<string, string> }) =>
    storage.set('access_token', spoilt(storage.get('access_token')));

  test('logs in at a path with a slash and calls a protected API', async () => {
    const { api } = await client();
    expect((await api.get('/api/profile/')).data).toMatchObject({ username: 'ada' });
  });

  test('finds the words it shows where it looks for them', async () => {
    const stranger = simpleJwtClient(wire.url);
    expect(
      answerTo(await stranger.login('ada', 'not the password').catch((failure: unknown) => failure)),
    ).toMatchObject({
      status: 401,
      data: { detail: 'No active account found with the given credentials' },
    });
    expect(answerTo(await stranger.login('', PASSWORD).catch((failure: unknown) => failure))).toMatchObject({
      status: 400,
      data: { username: ['This field may not be blank.'] },
    });
    const empty = axios.post(`${wire.url}/api/token/`, {}).catch((failure: unknown) => failure);
    expect(answerTo(await empty)).toMatchObject({
      status: 400,
      data: { username: ['This field is required.'], password: ['This field is required.'] },
    });
  });

  test('stays logged in though it never keeps a new refresh token', async () => {
    const one = await client(false);
    for (let round = 0; round < 3; round += 1) {
      spoil(one);
      expect((await one.api.get('/api/profile/')).status).toBe(200);
    }
    expect(one.wasLoggedOut()).toBe(false);
  });

  test('verifies tokens and logs out', async () => {
    const one = await client();
    const post = (path: string, body: object) =>
      axios.post<unknown>(wire.url + path, body).catch((failure: unknown) => answerTo(failure));
    const refresh = one.storage.get('refresh_token');
    expect(await post('/api/token/verify/', { token: refresh })).toMatchObject({ status: 200, data: {} });
    expect(await post('/api/token/blacklist/', { refresh })).toMatchObject({ status: 200, data: {} });
    const dead = { status: 401, data: { code: 'token_not_valid', detail: 'Token is blacklisted' } };
    expect(await post('/api/token/refresh/', { refresh })).toMatchObject(dead);
    expect(await post('/api/token/verify/', { token: refresh })).toMatchObject(dead);
    await expect(one.api.get('/api/profile/')).rejects.toThrow();
    expect(one.wasLoggedOut()).toBe(true);
  });
});

/** A client of the guide in a browser of its own. */
function guided(storage = new Map<string, string>()) {
  const store = followed(
    storeIn({
      getItem: (key) => storage.get(key) ?? null,
      setItem: (key, text) => void storage.set(key, text),
      removeItem: (key) => void storage.delete(key),
    }),
  );
  const client = latchkey(wire.url, store);
  const api = axios.create({ baseURL: wire.url });
  withTokens(api, store, client.renew);
  const call = {
    fetch: async () => (await client.fetch('/api/profile')).status,
    axios: async () => {
      const { response } = await api.get('/api/profile').then(
        (response) => ({ response }),
        (failure: unknown) => (axios.isAxiosError(failure) ? failure : { response: undefined }),
      );
      if (response === undefined) throw new Error('There was no answer.');
      return response.status;
    },
  };
  return { store, client, call };
}
const spoil = (store: PairStore) => {
  const { access, refresh } = store.read()!;
  store.write({ access: spoilt(access), refresh });
};

describe.each(['fetch', 'axios'] as const)('the client of the guide, with %s', (kind) => {
  test('logs in, calls a protected API and logs out', async () => {
    const { client, call, store } = guided();
    await expect(client.login('ada', 'not the password')).rejects.toThrow('No active account found');
    await client.login('ada', PASSWORD);
    expect(await call[kind]()).toBe(200);
    const { refresh } = store.read()!;
    await client.logout();
    expect(store.read()).toBeUndefined();
    expect(await call[kind]()).toBe(401);
    expect((await gateway.post('/api/token/refresh', { refresh })).status).toBe(401);
  });

  test('refreshes once for all requests that are refused together, and keeps the new pair', async () => {
    const { client, call, store } = guided();
    await client.login('ada', PASSWORD);
    const before = store.read()!;
    spoil(store);
    const refreshes = await refreshesDuring(async () => {
      expect(await Promise.all(Array.from({ length: 6 }, () => call[kind]()))).toEqual(Array(6).fill(200));
    });
    expect(refreshes).toBe(1);
    expect(store.read()?.refresh).not.toBe(before.refresh);
  });

  test('logs nobody out for a bad network, and everybody whom the server refuses', async () => {
    const name = `eve-${kind}`;
    await gateway.user(name);
    const { client, call, store } = guided();
    await client.login(name, PASSWORD);
    spoil(store);
    wire.cuts = (line) => line === REFRESH;
    await expect(call[kind]()).rejects.toThrow();
    wire.cuts = () => false;
    expect(store.read()).toBeDefined();
    // The answer that was lost is made good by the next.
    expect(await call[kind]()).toBe(200);
    await setStatus(gateway.access, name, 'disabled');
    expect(await call[kind]()).toBe(401);
    expect(store.read()).toBeUndefined();
  });

  test('lets a login that came meanwhile stand', async () => {
    const { client, call, store } = guided();
    await client.login('ada', PASSWORD);
    spoil(store);
    let isLate = false;
    wire.cuts = (line) => {
      if (line === REFRESH && !isLate) {
        isLate = true;
        store.write({ access: 'of another login', refresh: 'of another login' });
      }
      return false;
    };
    await call[kind]();
    wire.cuts = () => false;
    expect(isLate).toBe(true);
    expect(store.read()?.refresh).toBe('of another login');
  });
});

test('the store of the guide shows React who is logged in', async () => {
  const { store, client } = guided();
  const Shown = () => createElement('p', null, store.useLoggedIn() ? 'in' : 'out');
  const shown = () => renderToString(createElement(Shown));
  expect(shown()).toBe('<p>out</p>');
  await client.login('ada', PASSWORD);
  expect(shown()).toBe('<p>in</p>');
});

// Last, so that what comes before has waited for it.
test('a client written for Simple JWT goes on when its access token expires, and stays logged in with all requests that find out at once', async () => {
  const one = early;
  const old = one.storage.get('access_token');
  const { exp = 0 } = decodeJwt(String(old));
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, (exp + 1) * 1000 - Date.now())));
  const before = await gateway.get('/api/profile', { Authorization: `Bearer ${String(old)}` });
  expect(before.body).toMatchObject({ code: 'token_not_valid', detail: 'Given token not valid for any token type' });
  const refreshes = await refreshesDuring(async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => one.api.get('/api/profile/')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });
  // It does not wait for its own refresh: the server has to forgive the others.
  expect(refreshes).toBeGreaterThan(1);
  expect(one.wasLoggedOut()).toBe(false);
  expect(one.storage.get('access_token')).not.toBe(old);
});

const folder = new URL('./', import.meta.url);
const guide = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const shown = readdirSync(folder).filter((file) => !file.endsWith('.test.ts') && file !== 'simple-jwt.ts');

test.each(shown)('the guide shows %s as it is tested', (file) => {
  expect(guide).toContain(`\`\`\`ts\n${readFileSync(new URL(file, folder), 'utf8')}\`\`\``);
});
