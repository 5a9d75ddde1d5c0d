import fc, { type Arbitrary, type AsyncCommand } from 'fast-check';
import type { SessionsUnderTest, Weather } from './driver.ts';
import type { Flight } from './flight.ts';
import { FUNCTION_SECONDS } from './honest.ts';
import { client, type Device, type World } from './world.ts';

/** Something that can happen in the world. `subject` is whom it happens to; where it finds nobody, it does not happen. */
class Happening<Subject> implements AsyncCommand<World, SessionsUnderTest> {
  readonly #name: string;
  readonly #subject: (world: World) => Subject | undefined;
  readonly #act: (world: World, subject: Subject) => void | Promise<void>;

  constructor(
    name: string,
    subject: (world: World) => Subject | undefined,
    act: (world: World, subject: Subject) => void | Promise<void>,
  ) {
    this.#name = name;
    this.#subject = subject;
    this.#act = act;
  }

  check(world: World): boolean {
    return this.#subject(world) !== undefined;
  }

  async run(world: World): Promise<void> {
    await this.#act(world, this.#subject(world)!);
  }

  toString(): string {
    return this.#name;
  }
}

export type Happenings = Arbitrary<AsyncCommand<World, SessionsUnderTest>>;

/** Counts around in a list that may be empty. */
const nth = <Item>(list: readonly Item[], index: number): Item | undefined => list[index % list.length];

const device = (number: number) => (world: World) => world.devices[number];
const holder = (number: number) => (world: World) =>
  world.devices[number]?.stored === undefined ? undefined : world.devices[number];
const unfinished = (index: number) => (world: World) =>
  nth(
    world.flights.filter(({ over }) => !over),
    index,
  );
const unanswered = (index: number) => (world: World) =>
  nth(
    world.flights.filter(({ answer }) => answer === undefined),
    index,
  );
const onItsWay = (flight: Flight): boolean => flight.arrivedAt === undefined && !flight.abandoned;
const awaited = (index: number) => (world: World) => nth(world.flights.filter(onItsWay), index);
const answered = (index: number) => (world: World) =>
  nth(
    world.flights.filter((flight) => flight.answer !== undefined && onItsWay(flight)),
    index,
  );

const ask = (world: World, from: Device, weather: Weather): Flight =>
  world.ask(from, from.stored!, client(from), weather);
const told = ({ first, fault }: Weather): string => `${first} first${fault === 'none' ? '' : `, ${fault}`}`;

const fair: Weather = { first: 'user', fault: 'none' };
const weather: Arbitrary<Weather> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(fair) },
  {
    weight: 1,
    arbitrary: fc.record<Weather>({
      first: fc.constantFrom('user', 'session'),
      fault: fc.constantFrom('none', 'none', 'user-unreachable', 'heard-twice'),
    }),
  },
);
const few = fc.nat({ max: 3 });

/** Around every limit of the rule, and a usual pause between two refreshes. */
const pause = fc.constantFrom(1, 1, 5, 14, 15, 16, 28, 29, 29, 30, 31, 45, 60, 900);

/** A function that has its time answers before more passes. */
const pass = async (world: World, seconds: number): Promise<void> => {
  for (const flight of world.flights) {
    if (flight.entered && world.now + seconds - flight.now > FUNCTION_SECONDS) await flight.finish();
  }
  world.wait(seconds);
};
const passing = pause.map((seconds) => new Happening(`${seconds} s pass`, nobody, (world) => pass(world, seconds)));

/** What the tabs of one honest device and its network do. */
export const honest = (number: number): Happenings[] => [
  weather.map(
    (weather) =>
      new Happening(`device ${number} asks (${told(weather)})`, holder(number), (world, from) => {
        ask(world, from, weather);
      }),
  ),
  fc.constantFrom('arrives', 'is lost').map(
    (fate) =>
      new Happening(`device ${number} refreshes, the answer ${fate}`, holder(number), async (world, from) => {
        const flight = ask(world, from, fair);
        await flight.finish();
        if (fate === 'arrives') world.arrive(flight);
        else flight.abandoned = true;
      }),
  ),
  few.map((index) => new Happening(`step ${index}`, unfinished(index), (_, flight) => flight.step())),
  few.map(
    (index) =>
      new Happening(`finish ${index}`, unanswered(index), async (_, flight) => {
        await flight.finish();
      }),
  ),
  few.map(
    (index) =>
      new Happening(`the answer to ${index} arrives`, answered(index), (world, flight) => world.arrive(flight)),
  ),
  few.map(
    (index) =>
      new Happening(`nobody waits for ${index} any more`, awaited(index), (_, flight) => {
        flight.abandoned = true;
      }),
  ),
  fc.constant(
    new Happening(`device ${number} changes networks`, device(number), (_, moving) => {
      moving.at = moving.at === 'home' ? 'street' : 'home';
    }),
  ),
  passing,
  passing,
];

function nobody(): true {
  return true;
}

/** Clocks that step back, backups that are restored, and looking at everything. */
export const trouble = (number: number): Happenings[] => [
  fc
    .constantFrom(1, 29, 31, 59, 61, 120)
    .map((seconds) => new Happening(`the clock steps ${seconds} s back`, nobody, (world) => world.stepClock(-seconds))),
  fc
    .constantFrom(3_000, 3_600)
    .map((seconds) => new Happening(`${seconds} s pass`, nobody, (world) => pass(world, seconds))),
  fc.constantFrom(31, 900).map(
    (seconds) =>
      new Happening(`functions stand still for ${seconds} s`, nobody, (world) => {
        for (const flight of world.flights) flight.stalled ||= flight.entered && !flight.over;
        world.wait(seconds);
      }),
  ),
  fc.constant(new Happening('every token is verified', nobody, (world) => world.verifyEverything())),
  fc.constant(
    new Happening(
      `the session of device ${number} is backed up`,
      (world) => sessionToBackUp(world, number),
      (world, session) => world.backUp(session),
    ),
  ),
  fc.constant(
    new Happening(
      'the backup is restored',
      (world) => world.restorable,
      (world) => world.restore(),
    ),
  ),
  fc.integer({ min: 1, max: 3 }).map(
    (refreshes) =>
      new Happening(
        `device ${number} refreshes ${refreshes} times, and the store forgets it`,
        (world) => (world.flights.every(({ over }) => over) ? sessionToBackUp(world, number) : undefined),
        async (world, session) => {
          await world.backUp(session);
          for (let done = 0; done < refreshes && holder(number)(world); done += 1) {
            await pass(world, 31);
            const flight = ask(world, world.devices[number]!, fair);
            await flight.finish();
            world.arrive(flight);
          }
          if (world.restorable) await world.restore();
        },
      ),
  ),
];

function sessionToBackUp(world: World, number: number) {
  const { stored } = world.devices[number]!;
  return stored === undefined ? undefined : world.known(stored).session;
}

/** A thief who gets at a device's storage and uses what is there, from another place or looking like the device. */
export const thief = (victim: number): Happenings[] => [
  fc.constant(
    new Happening(`a thief copies what device ${victim} holds`, holder(victim), (world, { stored }) => {
      world.loot.push(stored!);
    }),
  ),
  fc
    .record({ which: fc.constantFrom('newest', 'oldest'), disguised: fc.boolean(), weather, atOnce: fc.boolean() })
    .map(({ which, disguised, weather, atOnce }) => {
      const name = `the thief ${atOnce ? 'uses' : 'sends'} the ${which} copy${disguised ? ' in disguise' : ''}`;
      return new Happening(
        `${name} (${told(weather)})`,
        (world) => world.loot.at(which === 'newest' ? -1 : 0),
        async (world, token) => {
          const by = disguised ? client(world.devices[victim]!) : 'elsewhere';
          const flight = world.ask('thief', token, by, weather);
          if (!atOnce) return;
          await flight.finish();
          world.arrive(flight);
        },
      );
    }),
];

/** What users and operators do to end sessions. */
export const endings = (number: number): Happenings[] => [
  fc.constant(
    new Happening(`device ${number} logs out`, holder(number), async (world, leaving) => {
      await world.logOut(leaving.stored!);
      leaving.stored = undefined;
    }),
  ),
  fc.constant(
    new Happening(
      'the thief logs the session out',
      (world) => world.loot.at(-1),
      (world, token) => world.logOut(token),
    ),
  ),
  fc.constant(new Happening('log out everywhere', nobody, (world) => world.logOutEverywhere())),
  fc.constant(
    new Happening(
      `log out everywhere but on device ${number}`,
      (world) => standing(world, number),
      (world, kept) => world.logOutOthers(kept),
    ),
  ),
  fc.constant(
    new Happening(
      `password change on device ${number}`,
      (world) => standing(world, number),
      (world, changing) => world.changePassword(changing),
    ),
  ),
  fc.boolean().map(
    (active) =>
      new Happening(
        active ? 'the user is enabled' : 'the user is disabled',
        (world) => world.account.active !== active || undefined,
        (world) => world.setActive(active),
      ),
  ),
];

/** A device that a protected route lets in. */
function standing(world: World, number: number): Device | undefined {
  const { [number]: device } = world.devices;
  return device && world.letsIn(device) ? device : undefined;
}

export const logIn = (number: number): Happenings =>
  fc.constant(
    new Happening(
      `device ${number} logs in`,
      (world) =>
        world.account.active && world.devices[number]!.stored === undefined ? world.devices[number] : undefined,
      (world, arriving) => world.logIn(arriving),
    ),
  );
