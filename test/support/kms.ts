/** KMS for tests: its keys in this process, or the stand-in behind something that makes trouble. */
import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { createServer, request } from 'node:http';
import { KeyUnusable, type KeyKeeper, type SignRemotely } from '../../functions/shared/domain/key-custody.ts';
import type { SigningAlgorithm } from '../../functions/shared/domain/settings.ts';
import type { Clock, UnixSeconds } from '../../functions/shared/domain/time.ts';
import { startKmsStandIn, type KmsStandIn } from '../../infra/local/kms-stand-in.ts';
import { listen } from '../../infra/local/listen.ts';
import type { Gates } from './kept.ts';

interface MemoryKey {
  readonly id: string;
  readonly alg: SigningAlgorithm;
  readonly privateKey: KeyObject;
  readonly madeAt: UnixSeconds;
  removed: boolean;
}

/** A keeper in memory, with real keys, and what a test needs to see of it. */
export interface MemoryKms {
  /** The keeper as one caller has it. */
  through(gates: Gates): KeyKeeper;
  readonly sign: SignRemotely;
  /** Ids of the keys that can sign. */
  usable(): readonly string[];
  /** Ids of all keys there ever were, the oldest first. */
  all(): readonly string[];
}

const generated = (alg: SigningAlgorithm): KeyObject => {
  switch (alg) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey;
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey;
  }
};

export function memoryKms(now: Clock): MemoryKms {
  const keys: MemoryKey[] = [];
  const known = (id: string): MemoryKey => {
    const key = keys.find((one) => one.id === id);
    if (key === undefined) throw new Error('no such key');
    return key;
  };
  return {
    usable: () => keys.filter(({ removed }) => !removed).map(({ id }) => id),
    all: () => keys.map(({ id }) => id),
    sign: (id, alg, input) => {
      const key = known(id);
      if (key.removed) return Promise.reject(new KeyUnusable());
      return Promise.resolve(sign(alg === 'EdDSA' ? null : 'sha256', input, key.privateKey));
    },
    through: ({ before, after }) => ({
      async make(alg) {
        await before('kms.make');
        const id = `arn:aws:kms:us-east-1:1:key/${keys.length + 1}`;
        keys.push({ id, alg, privateKey: generated(alg), madeAt: now(), removed: false });
        await after('kms.make');
        return id;
      },
      async publicKey(id) {
        await before('kms.publicKey');
        return createPublicKey(known(id).privateKey).export({ type: 'spki', format: 'der' });
      },
      async ours() {
        await before('kms.ours');
        return keys.filter(({ removed }) => !removed).map(({ id, madeAt }) => ({ id, madeAt }));
      },
      async remove(id) {
        await before('kms.remove');
        known(id).removed = true;
        await after('kms.remove');
      },
    }),
  };
}

/** What goes wrong: the connection ends, KMS throttles or is broken, or says nothing. */
export type KmsFault = 'refuse' | 'throttle' | 'fail' | 'never';

export interface TestKms extends KmsStandIn {
  /** Of each call from now on. */
  disturb(fault: KmsFault | undefined): void;
  /** The operations that were called, in their order: `Sign`. */
  readonly calls: string[];
}

const ERRORS = {
  throttle: { status: 400, type: 'ThrottlingException' },
  fail: { status: 500, type: 'KMSInternalException' },
};

/** The stand-in for KMS, with short pages, behind a server that makes trouble. */
export async function startTestKms(): Promise<TestKms> {
  const kms = await startKmsStandIn(undefined, 3);
  const calls: string[] = [];
  let fault: KmsFault | undefined;
  const server = createServer((incoming, response) => {
    calls.push(String(incoming.headers['x-amz-target']).replace('TrentService.', ''));
    if (fault === 'never') return;
    if (fault === 'refuse') {
      response.destroy();
      return;
    }
    if (fault !== undefined) {
      const { status, type } = ERRORS[fault];
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify({ __type: type, message: 'hunter2' }));
      return;
    }
    const { method, headers } = incoming;
    const onward = request(kms.endpoint, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  });
  const front = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    ...kms,
    endpoint: front.endpoint,
    calls,
    disturb: (to) => void (fault = to),
    async close() {
      server.closeAllConnections();
      await Promise.all([front.close(), kms.close()]);
    },
  };
}
