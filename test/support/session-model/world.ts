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
  /** Counts what happens, whatever the clock says. */
  moment = 0;
  /** What the thief holds, the newest last. */
  loot: Token[] = [];
  backup: { readonly session: Known; readonly line: Line; readonly spine: Spine; readonly of: Backup } | undefined;
  /** What happened, for whoever has to understand a failure. */
  readonly story: string[] = [];
  readonly #tokens = new Map<Token, KnownToken>();

  constructor(sut: SessionsUnderTest, devices: readonly string[]) {
    this.sut = sut;
    for (const name of devices) this.devices.push({ name, at: 'home', stored: undefined });
  }

  known(token: Token): KnownToken {
    return this.#tokens.get(token)!;
  }

  wait(seconds: number): void {
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
    flight.arrivedAt = this.moment;
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

  async logOutEverywhere(keep: Device | undefined): Promise<void> {
    await this.sut.logOutEverywhere(keep?.stored);
    this.#nextEpoch();
    const kept = keep?.stored === undefined ? undefined : this.known(keep.stored).session;
    if (kept) kept.line = { ...kept.line, epoch: this.account.epoch };
    this.#endAllBut(kept);
  }

  async changePassword(device: Device): Promise<void> {
    const pair = await this.sut.changePassword(client(device));
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
    session.over ??= { since: this.moment, because };
  }

  async backUp(session: Known): Promise<void> {
    const of = await this.sut.backUp(session.texts.values().next().value!);
    this.backup = { session, line: session.line, spine: session.spine.remembered(), of };
  }

  /** The backup, if it may be restored: not while a request is under way, nor where the session ended since. */
  get restorable(): Backup | undefined {
    if (this.backup === undefined || this.flights.some(({ over }) => !over)) return undefined;
    const { session, line, of } = this.backup;
    return session.over || !this.stands({ ...session, line }) ? undefined : of;
  }

  async restore(): Promise<void> {
    const { session, line, spine, of } = this.backup!;
    await of.restore();
    session.line = line;
    session.spine = spine.remembered();
  }

  /** Whether this moment's answer to a session's holder would be yes, the user included. */
  stands({ line }: Known): boolean {
    return lives(line, this.now) && vouched(line, this.account);
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

/** The address and user agent of a device, as one word. */
export const client = ({ name, at }: Device): string => `${name} ${at}`;
