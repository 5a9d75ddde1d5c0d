/** What the session model asks of every implementation. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endings, honest, logIn, thief, trouble, type Happenings } from './commands.ts';
import { SEED } from '../seed.ts';
import type { SessionsUnderTest, Weather } from './driver.ts';
import type { Flight } from './flight.ts';
import { client, World } from './world.ts';

/** How the properties are looked for. */
export interface Search {
  /** The sessions of a new user. */
  readonly begin: () => Promise<SessionsUnderTest>;
  /** Of each property. */
  readonly runs: number;
  /** Milliseconds for all runs of a property, some ten times what they take. */
  readonly patience: number;
}

/** So many runs get everywhere; fewer prove what they reach. */
const MANY_RUNS = 500;

/** What is looked for no longer is printed in the time that is left. */
const SHARE_OF_PATIENCE = 0.9;

interface Property {
  readonly devices: readonly string[];
  readonly happenings: readonly Happenings[];
  /** Parts of the rule that the schedules must have used, or they prove nothing. */
  readonly reach: readonly string[];
  readonly atTheEnd?: (world: World, choice: boolean) => Promise<void>;
}

/** That whatever happens, in any order, the sessions do as the reference says and keep their promises. */
async function holds(
  { devices, happenings, reach, atTheEnd }: Property,
  { begin, runs, patience }: Search,
): Promise<void> {
  const reached = new Set<string>();
  const schedules = fc.commands([...happenings], { maxCommands: 80, size: 'max' });
  const property = fc.asyncProperty(schedules, fc.boolean(), async (schedule, choice) => {
    const sut = await begin();
    const world = new World(sut, devices);
    for (const device of world.devices) await world.logIn(device);
    await fc.asyncModelRun(() => ({ model: world, real: sut }), schedule);
    await atTheEnd?.(world, choice);
    await world.verifyEverything();
    for (const part of world.reached) reached.add(part);
  });
  await fc.assert(property, {
    numRuns: runs,
    // A failure that takes long to be made smaller is told as it is by then.
    interruptAfterTimeLimit: patience * SHARE_OF_PATIENCE,
    markInterruptAsFailure: true,
    seed: SEED,
  });
  if (runs >= MANY_RUNS) expect([...reached]).toEqual(expect.arrayContaining([...reach]));
}

/** That the sessions keep their promises. */
export function promises(search: Search): void {
  describe('whatever happens in whatever order', () => {
    const promise = (name: string, property: Property) => test(name, () => holds(property, search), search.patience);

    promise('an honest device alone is never logged out but in the schedules that are named', {
      devices: ['phone'],
      happenings: honest(0),
      reach: ['rotate', 'rotate an older one', 'again', 'again for the used one', 'fork beside', 'fork instead'],
    });

    promise('nor is it by clocks that step and backups that are restored', {
      devices: ['phone'],
      happenings: [...honest(0), ...trouble(0)],
      reach: ['rotate', 'adopt'],
    });

    promise('the session is dead after a thief and the victim have both used their tokens', {
      devices: ['phone'],
      happenings: [...honest(0), ...thief(0), ...thief(0)],
      reach: ['theft', 'reckoning'],
      atTheEnd: (world, thiefFirst) => world.reckoning(world.devices[0]!, thiefFirst),
    });

    promise('nothing validates after a log out, a password change or a disabled user, on any device', {
      devices: ['phone', 'laptop'],
      happenings: [
        ...[honest(0), honest(0), honest(0), honest(0), honest(1)].flat(),
        ...[trouble(0), thief(0), endings(0), endings(1)].flat(),
        ...[logIn(0), logIn(0), logIn(1)],
      ],
      reach: ['rotate', 'refused', 'theft'],
    });
  });
}

const CALM: Weather = { first: 'user', fault: 'none' };

/** One device with several tabs, and nobody else. */
async function phoneWithTabs(sessions: SessionsUnderTest) {
  const world = new World(sessions, ['phone']);
  const phone = world.devices[0]!;
  await world.logIn(phone);
  return {
    world,
    phone,
    /** A tab reads the stored token and sends it. */
    sends: () => world.ask(phone, phone.stored!, client(phone), CALM),
    /** A request gets there and is judged; its answer is on its way back. */
    judged: async (flight: Flight) => {
      await flight.finish();
      return flight;
    },
    refreshes: async () => {
      const flight = world.ask(phone, phone.stored!, client(phone), CALM);
      const { kind } = await flight.finish();
      world.arrive(flight);
      return kind;
    },
  };
}

/** The schedules that are known to the letter. */
export function knownSchedules(begin: Search['begin']): void {
  describe('the schedules that log an honest device out', () => {
    test('overtaken: a request that was held back for half a minute kills what a later one brought home', async () => {
      const { world, sends, judged, refreshes } = await phoneWithTabs(await begin());
      const heldBack = sends();
      await refreshes();
      world.wait(30);
      await judged(heldBack);
      expect(await refreshes()).toBe('refused');
      expect(world.losses).toEqual(['overtaken']);
    });

    test('apart: after a lost answer, two tabs in different networks ask at once, and the answers change places', async () => {
      const { world, phone, sends, judged, refreshes } = await phoneWithTabs(await begin());
      await judged(sends());
      world.wait(60);
      const first = sends();
      phone.at = 'street';
      const second = sends();
      await judged(first);
      world.arrive(await judged(second));
      world.arrive(first);
      expect(await refreshes()).toBe('refused');
      expect(world.losses).toEqual(['apart']);
    });

    test('straddled: half a minute after a lost answer, two tabs ask on both sides of it, and the second answer is lost', async () => {
      const { world, sends, judged, refreshes } = await phoneWithTabs(await begin());
      await judged(sends());
      world.wait(29);
      const [first, second] = [sends(), sends()];
      await judged(first);
      world.wait(1);
      await judged(second);
      world.arrive(first);
      expect(await refreshes()).toBe('refused');
      expect(world.losses).toEqual(['straddled']);
    });

    test('half-seen: a refresh meets a log out of all other devices half way', async () => {
      const { world, phone, sends } = await phoneWithTabs(await begin());
      const flight = sends();
      await flight.step();
      await flight.step();
      await world.logOutOthers(phone);
      expect((await flight.finish()).kind).toBe('refused');
      expect(world.losses).toEqual(['half-seen']);
    });
  });

  /** A request that meets a change it did not know of, up to where it is about to make its own in view of it. */
  const overtaken = async (weather: Weather) => {
    const { world, phone, sends, judged, refreshes } = await phoneWithTabs(await begin());
    await judged(sends());
    const unlucky = world.ask(phone, phone.stored!, 'phone on a train', weather);
    // It comes in, the user is read, and the write that was made unread fails.
    for (let step = 1; step <= 3; step += 1) await unlucky.step();
    /** Others change the session, each time from another network than the one before; then it tries its change. */
    const losesRaces = async (races: number) => {
      for (let race = 1; race <= races; race += 1) {
        phone.at = phone.at === 'home' ? 'street' : 'home';
        await judged(sends());
        await unlucky.step();
      }
    };
    return { world, phone, unlucky, losesRaces, refreshes };
  };

  test('a request that others come before three times is told to come again, and loses nothing', async () => {
    const { world, unlucky, losesRaces, refreshes } = await overtaken(CALM);
    await losesRaces(3);
    expect(unlucky.answer).toEqual({ kind: 'unavailable' });
    expect(await refreshes()).toBe('pair');
    expect(world.losses).toEqual([]);
  });

  test('a request whose last change was made, but not told, answers with it', async () => {
    const { world, unlucky, losesRaces } = await overtaken({ first: 'user', fault: 'heard-twice' });
    await losesRaces(2);
    expect((await unlucky.finish()).kind).toBe('pair');
    expect(world.losses).toEqual([]);
  });

  test('a request that loses its last race against one like itself answers the same', async () => {
    const { world, phone, unlucky, losesRaces } = await overtaken(CALM);
    await losesRaces(2);
    const { kind } = await world.ask(phone, phone.stored!, 'phone on a train', CALM).finish();
    await unlucky.step();
    expect([kind, unlucky.answer]).toEqual(['pair', { kind: 'pair', pair: expect.anything() }]);
    expect(world.losses).toEqual([]);
  });
}
