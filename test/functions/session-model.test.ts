/** The schedules of the session model through the handlers on a real engine, their calls of the store interleaved. */
import { afterAll, beforeAll } from '@jest/globals';
import { count } from '../support/counts.ts';
import { knownSchedules, promises } from '../support/session-model/schedules.ts';
import { startHandlers, type Handlers } from '../support/session-model/through-handlers.ts';

/** Of each of four properties, so that there are 500 in all. */
const RUNS = count(5, 125);

let handlers: Handlers;
beforeAll(async () => {
  handlers = await startHandlers();
});
afterAll(() => handlers.stop());

const begin = () => handlers.begin();
promises({ begin, runs: RUNS, patience: 60_000 + RUNS * 10_000 });
knownSchedules(begin);
