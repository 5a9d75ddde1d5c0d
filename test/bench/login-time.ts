/**
 * `npm run bench:login`: whether the time of a refused login tells an unknown name from a known one, a disabled or a
 * locked account. Over HTTP, with the deployed bundles, the causes interleaved in random order; the right password of a
 * disabled account and of a locked one, as that is what must not be told.
 *
 * A cheap hash (BCRYPT_COST, 8 unless set) makes a difference around it easier to see, not harder.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { createUser, setStatus } from '../../infra/cli/accounts.ts';
import { operatorsClient } from '../../infra/cli/accounts-store.ts';
import { LONGEST_WAIT_SECONDS } from '../../functions/shared/domain/attempts.ts';
import { after } from '../../functions/shared/domain/time.ts';
import { now } from '../../functions/shared/runtime/clock.ts';
import { attemptCounter } from '../../functions/shared/store/attempts.ts';
import { aGateway, PASSWORD } from '../support/local-gateway.ts';
import { median, sameDistribution } from './rank-test.ts';

const SAMPLES = 200;
const COST = process.env['BCRYPT_COST'] ?? '8';

const api = await aGateway({ BCRYPT_COST: COST });
process.env['BCRYPT_COST'] = COST;
const client = operatorsClient(api.access);
const countAttempt = attemptCounter(client, api.access.usersTable);

async function aName(): Promise<string> {
  const username = `user-${randomUUID()}`;
  await createUser(api.access, { username, password: PASSWORD });
  return username;
}

/** What to send for each cause. Every sample has a name of its own, or the fifth would lock it. */
const CAUSES: Readonly<Record<string, () => Promise<{ username: string; password: string }>>> = {
  unknown: () => Promise.resolve({ username: `user-${randomUUID()}`, password: PASSWORD }),
  'wrong password': async () => ({ username: await aName(), password: 'not the password at all' }),
  disabled: async () => {
    const username = await aName();
    await setStatus(api.access, username, 'disabled');
    return { username, password: PASSWORD };
  },
  locked: async () => {
    const username = await aName();
    for (let earlier = 16; earlier >= 0; earlier -= 1) {
      await countAttempt(username, after(now(), -earlier * LONGEST_WAIT_SECONDS));
    }
    return { username, password: PASSWORD };
  },
};

try {
  const causes = Object.keys(CAUSES);
  const times = new Map(causes.map((cause) => [cause, [] as number[]]));
  for (let sample = -20; sample < SAMPLES; sample += 1) {
    const given = await Promise.all(causes.map(async (cause) => ({ cause, body: await CAUSES[cause]!() })));
    while (given.length > 0) {
      const [one] = given.splice(randomInt(given.length), 1);
      const start = performance.now();
      const { status } = await api.post('/api/token', one!.body);
      const milliseconds = performance.now() - start;
      if (status !== 401) throw new Error(`${one!.cause} was answered ${status}`);
      // The first ones warm everything up.
      if (sample >= 0) times.get(one!.cause)!.push(milliseconds);
    }
  }
  const base = times.get('unknown')!;
  process.stdout.write(`${SAMPLES} refused logins for each cause, bcrypt cost ${COST}\n`);
  process.stdout.write('cause             median ms   ratio   p of the rank test against unknown\n');
  for (const [cause, values] of times) {
    const ratio = (median(values) / median(base)).toFixed(3);
    const p = cause === 'unknown' ? '' : sameDistribution(base, values).toFixed(3);
    process.stdout.write(`${cause.padEnd(16)}  ${median(values).toFixed(2).padStart(9)}   ${ratio}   ${p}\n`);
  }
} finally {
  client.destroy();
  await api.close();
}
