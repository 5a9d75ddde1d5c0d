import type { Answer, StoreCall, Token, Underway, Weather } from './driver.ts';
import { lossOf } from './honest.ts';
import { inTime, judged, newest, vouched, type Account, type Line, type Verdict } from './reference.ts';
import { Broken, must } from './spine.ts';
import type { Device, Known, World } from './world.ts';

export type Asker = Device | 'thief';

/** The write that is made unread, and three that are judged: whoever comes second each time is answered 503. */
const MOST_LOOKS = 4;

/** What one look at the session came to. */
interface Look {
  readonly line: Line;
  readonly verdict: Verdict;
  readonly written: boolean;
  /** Whether the token was on the line of used tokens, as {@link Spine} sees it. */
  readonly onSpine: boolean;
}

/** One refresh, from a client that read its token to the answer that got there or was lost. */
export class Flight {
  readonly asker: Asker;
  readonly session: Known;
  readonly serial: number;
  readonly by: string;
  /** Moments, not times: when its token was read, when it was judged last, and when the answer arrived. */
  readonly readAt: number;
  judgedAt: number | undefined;
  arrivedAt: number | undefined;
  /** What its function's clock said when it came in. */
  now = 0;
  /** Seconds from the beginning to then, whatever clocks say. */
  enteredAfter = 0;
  answer: Answer | undefined;
  over = false;
  /** Time passed between its reading the clock and its last call of the store, more than a function has. */
  stalled = false;
  /** Nobody waits for the answer any more. */
  abandoned = false;
  readonly #world: World;
  readonly #token: Token;
  readonly #weather: Weather;
  #underway: Underway | undefined;
  #enteredAt = 0;
  #user: Account | undefined;
  readonly #looks: Look[] = [];

  constructor(world: World, asker: Asker, token: Token, by: string, weather: Weather) {
    const { session, serial } = world.known(token);
    this.#world = world;
    this.asker = asker;
    this.#token = token;
    this.by = by;
    this.#weather = weather;
    this.session = session;
    this.serial = serial!;
    this.readAt = world.tick();
  }

  get verdict(): Verdict | undefined {
    return this.#looks.at(-1)?.verdict;
  }

  /** What it did to the session, if anything. */
  get change(): { readonly before: Line; readonly after: Line } | undefined {
    for (const { written, line, verdict } of this.#looks) {
      if (written && 'after' in verdict) return { before: line, after: verdict.after };
    }
    return undefined;
  }

  /** The session as it was judged last. */
  get saw(): Line | undefined {
    return this.#looks.at(-1)?.line;
  }

  /** Whether it took user and session for contradicting each other, which at this moment they do not. */
  get sawHalf(): boolean {
    return this.verdict?.kind !== 'theft' && !this.#isVouched() && vouched(this.session.line, this.#world.account);
  }

  get entered(): boolean {
    return this.#underway !== undefined;
  }

  /** One step: it gets to its function, or one call of the store goes through. */
  async step(): Promise<void> {
    const world = this.#world;
    if (this.#underway === undefined) {
      this.now = world.now;
      this.enteredAfter = world.elapsed;
      this.#enteredAt = world.tick();
      this.#underway = await world.sut.present(this.#token, this.by, this.#weather);
      return;
    }
    const { calls, answer, over } = await this.#underway.step();
    this.over = over;
    for (const call of calls) this.#happened(call);
    if (answer === undefined) return;
    this.answer = answer;
    this.#check(answer);
  }

  /** Every step up to its answer. */
  async finish(): Promise<Answer> {
    while (this.answer === undefined) await this.step();
    return this.answer;
  }

  #happened(call: StoreCall): void {
    if (call === 'user-read') this.#user = this.#world.account;
    else this.#look(call === 'written');
  }

  #look(written: boolean): void {
    const { session, serial } = this;
    const { line, spine } = session;
    const before = this.#looks.at(-1);
    const verdict = judged(line, this);
    this.judgedAt = this.#world.tick();
    this.#world.reached.add(nameOf(line, serial, verdict, written));
    this.#looks.push({ line, verdict, written, onSpine: spine.holds(serial) });
    if (!written) {
      // The first write is made without having read, so it may well be the wrong one.
      must(before === undefined || before.line !== line, 'a write that was decided on what stands goes through');
      return;
    }
    must(verdict.kind === 'new' || verdict.kind === 'theft', `nothing is written where it is ${verdict.kind}`);
    session.line = verdict.after;
    if (verdict.kind === 'new') spine.grow(serial, verdict.mint.serial);
    else this.#world.over(session, 'theft');
  }

  #check(answer: Answer): void {
    const due = this.#due();
    must(answer.kind === due, `${due}, not ${answer.kind}`);
    const { session } = this;
    const look = this.#looks.at(-1);
    if (answer.kind === 'pair') {
      const { verdict, onSpine } = look!;
      must(onSpine, 'only the newest used token, or one that came of it, is good for anything');
      must(!session.over || session.over.since > this.#enteredAt, 'nothing is handed out after a session is over');
      must(this.now < session.line.absoluteEnd, 'no session outlives its absolute end');
      if ('mint' in verdict) this.#world.received(session, verdict.mint, answer.pair, this.now);
    }
    if (answer.kind === 'refused' && look && !look.onSpine && this.#isVouched()) {
      must(session.line.ended || session.line !== look.line, 'a token beside the line of used ones ends the session');
    }
    if (answer.kind === 'refused' && this.asker !== 'thief') this.#checkHonest();
  }

  #due(): Answer['kind'] {
    if (!inTime(this.#world.known(this.#token).times, this.now)) return 'refused';
    if (this.#weather.fault === 'user-unreachable') return 'unavailable';
    const look = this.#looks.at(-1);
    must(look !== undefined, 'nobody is answered before the session was looked at');
    if (!this.#isVouched()) return 'refused';
    switch (look.verdict.kind) {
      case 'refused':
        return 'refused';
      case 'theft':
        must(this.session.line.ended, 'theft ends the session');
        return 'refused';
      case 'again':
        return 'pair';
      case 'new':
        if (look.written) return 'pair';
        must(this.#looks.length === MOST_LOOKS, 'a change is made, unless others came first three times');
        return 'unavailable';
    }
  }

  #isVouched(): boolean {
    return this.#user !== undefined && vouched(this.#looks.at(-1)!.line, this.#user);
  }

  /** An honest device, and nobody else, used the tokens of this session: it may be over, but not lost. */
  #checkHonest(): void {
    const { session } = this;
    const isOver = session.over?.because === 'ended' || (session.over?.because === 'theft' && session.lost);
    if (session.robbed || isOver || !inTime(this.#world.known(this.#token).times, this.now)) return;
    const { line } = this.#looks.at(-1)!;
    if (this.now >= line.idleEnd || this.now >= line.absoluteEnd) return;
    const loss = lossOf(this);
    if (loss === undefined) throw new Broken('an honest device alone is never logged out');
    this.#world.losses.push(loss);
    session.lost ||= loss !== 'half-seen';
  }
}

/** What a look came to, in the words of the rule. */
function nameOf(line: Line, serial: number, verdict: Verdict, written: boolean): string {
  const older = line.used?.serial !== serial && newest(line).serial !== serial ? ' an older one' : '';
  if (verdict.kind === 'again') return line.used?.serial === serial ? 'again for the used one' : `again${older}`;
  if (verdict.kind !== 'new' || !written) return verdict.kind === 'new' ? 'not yet' : verdict.kind;
  if (serial > newest(line).serial) return 'adopt';
  if (line.used?.serial === serial) return verdict.after.live.length > 1 ? 'fork beside' : 'fork instead';
  return `rotate${older}`;
}
