/** The deployed bundles under AWS's own runtime interface client, which is what runs in Lambda's and SAM's containers. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENDPOINTS, UNROUTED } from '../../infra/endpoints.ts';
import { invokeThroughRic, ric } from '../support/ric.ts';
import { expectAnswered, sourceOf, startSamRun, type SamRun } from '../support/sam-run.ts';

const entry = ric();
if (entry === undefined) process.stdout.write('Skipped: aws-lambda-ric is not built; `npm run test:ric` builds it.\n');

(entry === undefined ? describe.skip : describe)('through aws-lambda-ric', () => {
  let run: SamRun;
  beforeAll(async () => {
    run = await startSamRun();
  });
  afterAll(() => run.close());

  test.each(Object.keys({ ...ENDPOINTS, ...UNROUTED }))('%s answers its event', async (name) => {
    const fn = [...run.template.functions.values()].find(({ resourceId }) => sourceOf(resourceId) === name)!;
    const environment = fn.environment({ ...run.services.environment[fn.logicalId], BCRYPT_COST: '4' });
    const json = await invokeThroughRic(entry!, fn, environment, await run.services.event(name));
    expectAnswered(name, json === '' ? 'null' : json, run.outcomes);
  });

  test('a function that cannot start says so, without a secret', async () => {
    const fn = [...run.template.functions.values()].find(({ resourceId }) => resourceId === 'Login')!;
    const failed = invokeThroughRic(entry!, fn, {}, '{}');
    await expect(failed).rejects.toThrow(/Environment variables missing: .*USERS_TABLE/);
  });
});
