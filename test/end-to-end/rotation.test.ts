import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { cachingVerifier, type CachingVerifier } from '../support/caching-verifier.ts';
import { count } from '../support/counts.ts';
import { aGateway, type TestGateway } from '../support/local-gateway.ts';

/** `npm test` sees one rotation, the full run three, with longer times. */
const ROTATIONS = count(1, 3);
const PUBLICATION_SECONDS = count(12, 24);
const REFRESH_SECONDS = 1;
/**
 * What a verifier may keep a key set for: what a rotation leaves of the publication time at the least, without the age of
 * what the functions serve, and a second for each of the two clocks that count whole ones. Of three hours it is 2:10.
 */
const KEEP_MILLISECONDS = ((PUBLICATION_SECONDS * 3) / 4 - REFRESH_SECONDS - 2) * 1000;
const DEVICES = 6;
/** Between two requests of a device; where they take longer, the rate falls and nothing else changes. */
const EVERY_MILLISECONDS = 120;

let api: TestGateway;
let secretsManager: SecretsManagerClient;

beforeAll(async () => {
  api = await aGateway({
    KEY_PUBLICATION_SECONDS: String(PUBLICATION_SECONDS),
    KEY_REFRESH_SECONDS: String(REFRESH_SECONDS),
    // Longer than a rotation takes, so that tokens of every key are there when the next one signs.
    ACCESS_TOKEN_LIFETIME_SECONDS: String(PUBLICATION_SECONDS + 5),
  });
  secretsManager = new SecretsManagerClient({
    endpoint: api.secretsEndpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  secretsManager.destroy();
  await api.close();
});

/** What the devices met. */
interface Traffic {
  readonly failures: string[];
  requests: number;
  verifications: number;
  /** Names of the keys that signed access tokens, and refresh tokens. */
  readonly signed: { readonly access: Set<string>; readonly refresh: Set<string> };
  isOver: boolean;
}

// Routes behind the authorizer are not among them: it keeps a key set for five minutes and fetches it no sooner than every
// half minute for an unknown key, which is nothing beside three hours and too long beside these seconds.
test('nothing fails while every ring rotates, and a verifier that keeps the key set meets no unknown key', async () => {
  const traffic: Traffic = {
    failures: [],
    requests: 0,
    verifications: 0,
    signed: { access: new Set(), refresh: new Set() },
    isOver: false,
  };
  const verifier = cachingVerifier(`${api.url}/.well-known/jwks.json`, KEEP_MILLISECONDS);
  const names = Array.from({ length: DEVICES }, (_, each) => `device-${each}`);
  for (const name of names) await api.user(name);
  const devices = names.map((name) => device(name, verifier, traffic));
  try {
    await until(() => traffic.signed.access.size === 1, traffic);
    for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
      await Promise.all(['SigningKeysSecret', 'RefreshSecretsSecret', 'PeppersSecret'].map(rotated));
      await until(() => Math.min(traffic.signed.access.size, traffic.signed.refresh.size) > rotation, traffic);
    }
    // Until a set that was fetched just before the last new key signed is kept no more.
    await setTimeout(KEEP_MILLISECONDS + 1_000);
  } finally {
    traffic.isOver = true;
    await Promise.all(devices);
  }
  const { failures, requests, verifications, signed } = traffic;
  process.stderr.write(
    `${requests} requests, ${verifications} verifications, ${verifier.fetches()} fetches of the key set, ${ROTATIONS} rotations of each ring\n`,
  );
  expect(failures).toEqual([]);
  expect([signed.access.size, signed.refresh.size]).toEqual([ROTATIONS + 1, ROTATIONS + 1]);
});

const hasEnded = (token: string): boolean => Number(decodeJwt(token).exp) * 1000 <= Date.now();

/** Logs in, refreshes, has its tokens verified by the service and by somebody else, and begins anew, until all is over. */
async function device(username: string, verifier: CachingVerifier, traffic: Traffic): Promise<void> {
  let pair = { access: '', refresh: '' };
  const tokens: string[] = [];
  const attempt = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      traffic.failures.push(`${what}: ${String(error)}`);
    }
  };
  const ask = async (path: string, body: object): Promise<Record<string, unknown>> => {
    traffic.requests += 1;
    const answer = await api.post(path, body);
    if (answer.status !== 200) throw new Error(`${path} ${answer.status} ${answer.text}`);
    return answer.body;
  };
  const take = (body: Record<string, unknown>): void => {
    pair = { access: String(body['access']), refresh: String(body['refresh']) };
    tokens.push(pair.access);
    for (const kind of ['access', 'refresh'] as const) {
      traffic.signed[kind].add(decodeProtectedHeader(pair[kind]).kid ?? '');
    }
  };
  /** What verifies a token takes it, unless it has come to its end meanwhile, as may be on a slow machine. */
  const taken = async (token: string, verification: Promise<unknown>): Promise<void> => {
    await verification.catch((error: unknown) => {
      if (!hasEnded(token)) throw error;
    });
  };
  const verified = (token: string) => taken(token, ask('/api/token/verify', { token }));
  const acts: readonly (() => Promise<unknown>)[] = [
    async () => take(await ask('/api/token', { username, password: 'correct horse battery staple' })),
    async () => take(await ask('/api/token/refresh', { refresh: pair.refresh })),
    () => verified(pair.access),
    async () => take(await ask('/api/token/refresh', { refresh: pair.refresh })),
    () => verified(pair.refresh),
  ];
  for (let turn = 0; !traffic.isOver; turn += 1) {
    const pause = setTimeout(EVERY_MILLISECONDS);
    await attempt('request', acts[turn % acts.length]!);
    // Every token that has not ended, the oldest of all keys among them.
    while (tokens[0] !== undefined && hasEnded(tokens[0])) tokens.shift();
    for (const token of [tokens[0], tokens.at(-1)]) {
      if (token === undefined) continue;
      traffic.verifications += 1;
      await attempt('verification', () => taken(token, verifier.verify(token)));
    }
    await pause;
  }
}

/** Rotates a secret; a machine so slow that the rotation was given up tries again. */
async function rotated(output: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await secretsManager.send(new RotateSecretCommand({ SecretId: api.output(output) }));
      return;
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

async function until(isTrue: () => boolean, { failures }: Traffic): Promise<void> {
  while (!isTrue() && failures.length === 0) await setTimeout(50);
}
