import {
  LIFETIMES,
  START,
  type Backup,
  type Pair,
  type SessionsUnderTest,
  type Token,
  type Weather,
} from './driver.ts';
import { Flight, type Asker } from './flight.ts';
import type { Loss } from './honest.ts';
import { inTime, judged, lives, loggedIn, newest, vouched, type Account, type Line, type Mint } from './reference.ts';
import { must, Spine } from './spine.ts';

/** What the world knows of one session. */
export interface Known {
  readonly number: number;
  line: Line;
  spine: Spine;
  /** Why and since which moment it is over for ever. */
  over?: { readonly since: number; readonly because: 'ended' | 'theft' };
  /** Whether somebody who is not its device has used a token of it. */
  robbed: boolean;
  /** Whether its own device lost it, in a way that is documented. */
  lost: boolean;
  readonly texts: Map<Mint, Token>;
  /** The requests that its line came of. */
  readonly flights: Flight[];
}

/** A device with one storage that all its tabs share. */
export interface Device {
  readonly name: string;
  at: 'home' | 'street';
  stored: Token | undefined;
}

interface KnownToken {
  readonly session: Known;
  readonly times: Pick<Mint, 'issuedAt' | 'endsAt'>;
  /** Of a refresh token. */
  readonly serial?: number;
}

/** Everything around the sessions under test, next to what must be true of them by the reference. */
export class World {
  readonly sut: SessionsUnderTest;
  readonly devices: Device[] = [];
  readonly sessions: Known[] = [];
  readonly flights: Flight[] = [];
  account: Account = { active: true, epoch: 0 };
  now = START;
  /** Seconds that passed, which is not what a clock says that was set. */
  elapsed = 0;
  #moments = 0;
  /** What the thief holds, the newest last. */
  loot: Token[] = [];
  backup: (Pick<Known, 'line' | 'spine' | 'flights'> & { readonly session: Known; readonly of: Backup }) | undefined;
  /** Every part of the rule that was used. */
  readonly reached = new Set<string>();
  /** Sessions that honest devices lost in a way that is known. */
  readonly losses: Loss[] = [];
  readonly #tokens = new Map<Token, KnownToken>();

  constructor(sut: SessionsUnderTest, devices: readonly string[]) {
    this.sut = sut;
    for (const name of devices) this.devices.push({ name, at: 'home', stored: undefined });
  }

  /** Orders what happens, whatever the clock says. */
  tick(): number {
    return (this.#moments += 1);
  }

  known(token: Token): KnownToken {
    return this.#tokens.get(token)!;
  }

  wait(seconds: number): void {
    this.elapsed += seconds;
    this.stepClock(seconds);
  }

  stepClock(seconds: number): void {
    this.now += seconds;
    this.sut.setClock(this.now);
  }

  async logIn(device: Device): Promise<void> {
    this.#began(device, await this.sut.login(client(device)));
  }

  #began(device: Device, pair: Pair): void {
    const line = loggedIn(this.account.epoch, this.now);
    const session: Known = {
      number: this.sessions.length,
      line,
      spine: new Spine(),
      robbed: false,
      lost: false,
      texts: new Map(),
      flights: [],
    };
    this.sessions.push(session);
    this.received(session, newest(line), pair, this.now);
    device.stored = pair.refresh;
  }

  /** A pair came out of the sessions: it must be the very token that was due, and is known from now on. */
  received(session: Known, mint: Mint, { refresh, access }: Pair, now: number): void {
    const before = session.texts.get(mint);
    must(before === undefined || before === refresh, 'the same token again is the same byte for byte');
    const namesake = this.#tokens.get(refresh);
    must(namesake === undefined || (namesake.session === session && namesake.serial === mint.serial), 'tokens are new');
    session.texts.set(mint, refresh);
    this.#tokens.set(refresh, { session, times: mint, serial: mint.serial });
    const endsAt = Math.min(now + LIFETIMES.access, mint.endsAt);
    this.#tokens.set(access, { session, times: { issuedAt: now, endsAt } });
  }

  /** Somebody sends a refresh token, which takes its time to get anywhere. */
  ask(asker: Asker, token: Token, by: string, weather: Weather): Flight {
    const flight = new Flight(this, asker, token, by, weather);
    if (asker === 'thief') flight.session.robbed = true;
    this.flights.push(flight);
    flight.session.flights.push(flight);
    return flight;
  }

  /** The answer of a request gets to whoever asked. A device that holds another session by now does not care. */
  arrive(flight: Flight): void {
    flight.arrivedAt = this.tick();
    const { asker, answer, session } = flight;
    if (answer === undefined || answer.kind === 'unavailable') return;
    const token = answer.kind === 'pair' ? answer.pair.refresh : undefined;
    if (asker === 'thief') {
      if (token !== undefined) this.loot.push(token);
    } else if (asker.stored !== undefined && this.known(asker.stored).session === session) asker.stored = token;
  }

  async logOut(token: Token): Promise<void> {
    await this.sut.logOut(token);
    const { session, times } = this.known(token);
    if (!inTime(times, this.now) || session.line.ended) return;
    session.line = { ...session.line, ended: true };
    this.over(session, 'ended');
  }

  /** By a device that is let in, or by an operator. */
  async logOutEverywhere(): Promise<void> {
    await this.sut.logOutEverywhere(this.devices.find((device) => this.letsIn(device))?.stored);
    this.#nextEpoch();
    this.#endAllBut(undefined);
  }

  /** @param keep a device that is let in */
  async logOutOthers(keep: Device): Promise<void> {
    await this.sut.logOutOthers(keep.stored!);
    this.#nextEpoch();
    const { session } = this.known(keep.stored!);
    session.line = { ...session.line, epoch: this.account.epoch };
    this.#endAllBut(session);
  }

  /** @param device one that is let in */
  async changePassword(device: Device): Promise<void> {
    const pair = await this.sut.changePassword(device.stored!, client(device));
    this.#nextEpoch();
    this.#endAllBut(undefined);
    this.#began(device, pair);
  }

  async setActive(active: boolean): Promise<void> {
    await this.sut.setActive(active);
    if (!active) this.#nextEpoch();
    this.account = { ...this.account, active };
    if (!active) this.#endAllBut(undefined);
  }

  #nextEpoch(): void {
    this.account = { ...this.account, epoch: this.account.epoch + 1 };
  }

  #endAllBut(kept: Known | undefined): void {
    for (const session of this.sessions) if (session !== kept) this.over(session, 'ended');
  }

  over(session: Known, because: 'ended' | 'theft'): void {
    session.over ??= { since: this.tick(), because };
  }

  async backUp(session: Known): Promise<void> {
    const of = await this.sut.backUp(session.texts.values().next().value!);
    const flights = session.flights.filter(({ answer }) => answer !== undefined);
    this.backup = { session, line: session.line, spine: session.spine.remembered(), flights, of };
  }

  /** The backup, if it may be restored: not while a request is under way, nor where the session ended since. */
  get restorable(): Backup | undefined {
    if (this.backup === undefined || this.flights.some(({ over }) => !over)) return undefined;
    const { session, line, of } = this.backup;
    return session.over || !this.stands({ ...session, line }) ? undefined : of;
  }

  /** Takes so long that no answer is on its way any more. */
  async restore(): Promise<void> {
    for (const flight of this.flights) flight.abandoned ||= flight.arrivedAt === undefined;
    const { session, line, spine, flights, of } = this.backup!;
    await of.restore();
    session.line = line;
    session.spine = spine.remembered();
    session.flights.splice(0, Infinity, ...flights);
  }

  /** Whether this moment's answer to a session's holder would be yes, the user included. */
  stands({ line }: Known): boolean {
    return lives(line, this.now) && vouched(line, this.account);
  }

  /** Whether a protected route does. */
  letsIn({ stored }: Device): boolean {
    return stored !== undefined && this.stands(this.known(stored).session);
  }

  /**
   * A thief and the victim use what they hold, at their leisure and one after the other, until one of them is refused:
   * that takes one use each where they hold different tokens, and one more where they hold the same.
   */
  async reckoning(victim: Device, thiefFirst: boolean): Promise<void> {
    const [stolen, own] = [this.loot.at(-1), victim.stored];
    if (stolen === undefined || own === undefined) return;
    const { session } = this.known(own);
    const then = this.now + 3 * RECKONING_PAUSE;
    const areInTime = [stolen, own].every((token) => inTime(this.known(token).times, then));
    if (this.known(stolen).session !== session || !this.stands(session) || !areInTime) return;
    const uses = stolen === own ? 3 : 2;
    for (let use = 0; use < uses && victim.stored !== undefined; use += 1) {
      this.wait(RECKONING_PAUSE);
      const thiefs = (use % 2 === 0) === thiefFirst;
      const flight = this.ask(thiefs ? 'thief' : victim, thiefs ? this.loot.at(-1)! : victim.stored, 'anywhere', FAIR);
      const { kind } = await flight.finish();
      this.arrive(flight);
      if (kind === 'refused') break;
    }
    must(!this.stands(session), 'the session is dead after a thief and the victim have both used their tokens');
    this.reached.add('reckoning');
  }

  /** Asks of every token there ever was whether it is good: exactly those must be that the reference calls good. */
  async verifyEverything(): Promise<void> {
    for (const [token, { session, times, serial }] of this.#tokens) {
      const by = client(this.devices[0]!);
      const good = await this.sut.verify(token, by);
      must(!good || !session.over, 'nothing validates after its session is over');
      must(!good || this.now < session.line.absoluteEnd, 'no session outlives its absolute end');
      let due = inTime(times, this.now) && this.stands(session);
      if (due && serial !== undefined) {
        const { kind } = judged(session.line, { serial, by, now: this.now });
        due = kind === 'again' || kind === 'new';
      }
      must(good === due, `verify says ${due ? 'yes' : 'no'}`);
    }
  }
}

const FAIR: Weather = { first: 'user', fault: 'none' };

/** Longer than anything is recent. */
const RECKONING_PAUSE = 31;

/** The address and user agent of a device, as one word. */
export const client = ({ name, at }: Device): string => `${name} ${at}`;
