/** The three functions that sign, with their keys in KMS, and KMS out of reach: nothing is lost, and nothing is left behind. */
import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { FREE_ATTEMPTS } from '../../functions/shared/domain/attempts.ts';
import { textIn } from '../../functions/shared/domain/unknown.ts';
import { keeperInKms } from '../../functions/shared/runtime/kms-keeper.ts';
import { signingRingFrom } from '../../functions/shared/token/key-ring.ts';
import { newKmsKey } from '../../functions/shared/token/kms-keys.ts';
import { startTestKms, type KmsFault, type TestKms } from '../support/kms.ts';
import { newKeyTexts } from '../support/keys.ts';
import { authorizerContext, problemOf, startService, type Account, type Service } from '../support/service.ts';
import { undisturbed } from '../support/undisturbed.ts';

const FAULTS: readonly KmsFault[] = ['refuse', 'throttle', 'fail', 'never'];

let kms: TestKms;
let service: Service;
let account: Account;
beforeAll(async () => {
  kms = await startTestKms();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new KMSClient({ endpoint: kms.endpoint, region: 'us-east-1', credentials });
  const keys = newKeyTexts('ES256', (alg, times) => newKmsKey(keeperInKms('arn:signing', client), alg, times));
  service = await startService({ KMS_ENDPOINT: kms.endpoint }, keys);
});
afterAll(async () => {
  await service.stop();
  await kms.close();
});
beforeEach(async () => {
  kms.disturb(undefined);
  account = await service.account();
});

const credentials = () => ({ json: { username: account.username, password: account.password } });
const sessions = async () => (await service.tables.store.listSessions(account.user.id, 50)).sessions;
const UNAVAILABLE = problemOf(
  503,
  'Service Unavailable',
  'The service is not available at the moment. Please try again.',
);

test('a login, a refresh and a password change cost one signature each, a refused one none', async () => {
  const signs = async (act: () => Promise<{ status: number }>) => {
    kms.calls.length = 0;
    const { status } = await act();
    return [status, kms.calls.join()];
  };
  const { access, refresh } = await service.login(account);
  expect(await signs(() => service.call('login', credentials()))).toEqual([200, 'Sign']);
  expect(await signs(() => service.call('refresh', { json: { refresh } }))).toEqual([200, 'Sign']);
  expect(await signs(() => service.call('refresh', { json: { refresh: `${refresh}x` } }))).toEqual([401, '']);
  expect(await signs(() => service.call('login', { json: { username: account.username, password: 'wrong' } }))).toEqual(
    [401, ''],
  );
  const json = { current_password: account.password, new_password: 'a new pass-phrase for everybody' };
  const authorizer = authorizerContext(access);
  expect(await signs(() => service.call('password', { authorizer, json }))).toEqual([200, 'Sign']);
});

test.each(FAULTS)(
  'a refresh while KMS does not sign (%s) says when to ask again, and the session goes on',
  async (fault) => {
    const { refresh } = await service.login(account);
    // Who waits for silence would wait long on the time limits of tests.
    if (fault === 'never') await service.restart('refresh', { PATIENCE: '1' });
    kms.disturb(fault);
    const { status, headers, body } = await service.call('refresh', { json: { refresh } });
    expect([status, headers['Retry-After'], body]).toEqual([503, '5', UNAVAILABLE]);
    kms.disturb(undefined);
    const again = await undisturbed(() => service.call('refresh', { json: { refresh } }));
    expect(again.status).toBe(200);
    await service.restart('refresh');
    const next = await service.call('refresh', { json: { refresh: textIn(again.body, 'refresh') } });
    expect(next.status).toBe(200);
  },
);

test('a login meanwhile is a 503 that leaves no session', async () => {
  kms.disturb('throttle');
  const { status, headers, body } = await service.call('login', credentials());
  expect([status, headers['Retry-After'], body]).toEqual([503, '5', UNAVAILABLE]);
  expect(await sessions()).toEqual([]);
  kms.disturb(undefined);
  expect((await service.call('login', credentials())).status).toBe(200);
  expect(await sessions()).toHaveLength(1);
});

test('a password change meanwhile is a 503 that changes nothing', async () => {
  const { access, refresh } = await service.login(account);
  const json = { current_password: account.password, new_password: 'a new pass-phrase for everybody' };
  kms.disturb('refuse');
  expect((await service.call('password', { authorizer: authorizerContext(access), json })).status).toBe(503);
  kms.disturb(undefined);
  expect((await service.call('refresh', { json: { refresh } })).status).toBe(200);
  expect((await service.call('login', credentials())).status).toBe(200);
});

test('who tries to log in again and again meanwhile is not locked out, and loses no other session', async () => {
  const { refresh } = await service.login(account);
  kms.disturb('refuse');
  for (let time = 1; time <= 2 * FREE_ATTEMPTS; time += 1) {
    expect((await service.call('login', credentials())).status).toBe(503);
  }
  kms.disturb(undefined);
  expect((await service.call('login', credentials())).status).toBe(200);
  expect((await service.call('refresh', { json: { refresh } })).status).toBe(200);
});

test('nothing of it shows in an answer or a log but what it was', async () => {
  const from = service.log.length;
  kms.disturb('throttle');
  await service.call('login', credentials());
  const lines = service.log.slice(from).map((line) => JSON.parse(line) as Record<string, unknown>);
  const outage = lines.find(({ event }) => event === 'outage');
  expect(outage).toMatchObject({ level: 'ERROR', what: 'KMS out of reach' });
  expect(String(outage?.['error'])).toMatch(/^Outage < Throttling/);
  expect(JSON.stringify(lines)).not.toMatch(/hunter2|127\.0\.0\.1|arn:aws:kms/);
});

test('a key that KMS has taken out of service is an outage while the ring names no other', async () => {
  const [key] = signingRingFrom(service.keys.signing);
  const { refresh } = await service.login(account);
  expect(decodeProtectedHeader(refresh).typ).toBe('rt+jwt');
  const id = 'kmsKey' in key! ? key.kmsKey : '';
  for (const state of ['Disabled', 'PendingDeletion'] as const) {
    kms.setState(id, state);
    expect((await service.call('refresh', { json: { refresh } })).status).toBe(503);
  }
  kms.setState(id, 'Enabled');
  expect((await service.call('refresh', { json: { refresh } })).status).toBe(200);
});
