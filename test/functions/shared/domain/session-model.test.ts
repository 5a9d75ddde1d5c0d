import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { count } from '../../../support/counts.ts';
import { endings, honest, logIn, thief, trouble, type Happenings } from '../../../support/session-model/commands.ts';
import { InMemorySessions } from '../../../support/session-model/in-memory.ts';
import { World } from '../../../support/session-model/world.ts';

async function holds(devices: readonly string[], happenings: readonly Happenings[]) {
  const commands = fc.commands([...happenings], { maxCommands: 60, size: 'max' });
  const run = async (schedule: Parameters<typeof fc.asyncModelRun>[1]) => {
    const sut = new InMemorySessions();
    const world = new World(sut, devices);
    for (const device of world.devices) await world.logIn(device);
    await fc.asyncModelRun(() => ({ model: world, real: sut }), schedule);
    await world.verifyEverything();
  };
  await fc.assert(fc.asyncProperty(commands, run), { numRuns: count(1_000, 10_000) });
  expect(true).toBe(true);
}

test('honest', () => holds(['one'], honest(0)));
test('whole', () =>
  holds(
    ['one', 'two'],
    [
      ...honest(0),
      ...honest(0),
      ...honest(1),
      ...trouble(0),
      ...thief(0),
      ...endings(0),
      ...endings(1),
      logIn(0),
      logIn(1),
    ],
  ));
