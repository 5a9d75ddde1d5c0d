import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startService, type Service } from '../../support/service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ REGISTRATIONS_PER_ADDRESS: '3', LOGINS_PER_ADDRESS: '3' });
  // The first calls of an engine that was just started may take so long that they are made, and counted, twice.
  await register('203.0.113.49');
  await guess('203.0.113.59');
});
afterAll(() => service.stop());

const register = (address: string) =>
  service.call('register', {
    address,
    headers: { 'X-Forwarded-For': `192.0.2.${Math.floor(Math.random() * 250)}` },
    json: { username: `user-${randomUUID()}`, password: 'correct horse battery staple' },
  });

const guess = (address: string) =>
  service.call('login', {
    address,
    headers: { 'X-Forwarded-For': `192.0.2.${Math.floor(Math.random() * 250)}` },
    json: { username: `name-${randomUUID()}`, password: 'wrong' },
  });

/** Outcomes of the requests that fall into one window, whenever the next one begins. */
async function untilThrottled(ask: () => Promise<{ status: number; headers: Readonly<Record<string, unknown>> }>) {
  for (let asked = 0; asked < 12; asked += 1) {
    const { status, headers } = await ask();
    if (status === 429) return { asked, retryAfter: headers['Retry-After'] };
  }
  throw new Error('never throttled');
}

test('one address makes so many accounts an hour, whatever its headers say, and another is free', async () => {
  const { asked, retryAfter } = await untilThrottled(() => register('203.0.113.50'));
  expect(asked).toBeGreaterThanOrEqual(3);
  expect(Number(retryAfter)).toBeGreaterThan(0);
  expect((await register('203.0.113.51')).status).toBe(201);
});

test('one address fails so many logins in ten minutes, under whatever names', async () => {
  const { asked, retryAfter } = await untilThrottled(() => guess('203.0.113.60'));
  expect(asked).toBeGreaterThanOrEqual(3);
  expect(Number(retryAfter)).toBeGreaterThan(0);
  const account = await service.account();
  expect((await service.call('login', { address: '203.0.113.61', json: account })).status).toBe(200);
});
