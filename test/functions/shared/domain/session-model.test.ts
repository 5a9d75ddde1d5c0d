import { count } from '../../../support/counts.ts';
import { InMemorySessions } from '../../../support/session-model/in-memory.ts';
import { knownSchedules, promises } from '../../../support/session-model/schedules.ts';

const RUNS = count(1_000, 10_000);
const begin = () => Promise.resolve(new InMemorySessions());

promises({ begin, runs: RUNS, patience: 60_000 + RUNS * 50 });
knownSchedules(begin);
