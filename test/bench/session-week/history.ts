import type { Session } from '../../../functions/shared/domain/session.ts';
import { lossOf, type Loss, type Past } from '../../support/session-model/honest.ts';
import type { Line, Verdict } from '../../support/session-model/reference.ts';

/** A refresh in the words of {@link lossOf}, written down as it happens. */
export interface Request extends Past {
  readonly counter: number;
  judgedAt: number | undefined;
  arrivedAt: number | undefined;
  now: number;
  enteredAfter: number;
  saw: Line | undefined;
  verdict: Verdict | undefined;
  change: Past['change'];
}

interface Judgement {
  readonly before: Session;
  readonly after: Session;
  /** The counter of the token that was given, if any was. */
  readonly answer: number | undefined;
  readonly now: number;
  readonly functionsNow: number;
}

/** A loss is explained by what came shortly before it. */
const REMEMBERED = 200;

/** Everything that was asked of a session, to tell why it was lost. */
export class History {
  readonly flights: Request[] = [];
  #moments = 0;

  sent(counter: number, by: string): Request {
    this.#moments += 1;
    const request: Request = {
      session: this,
      counter,
      serial: counter,
      by,
      readAt: this.#moments,
      judgedAt: undefined,
      arrivedAt: undefined,
      now: 0,
      enteredAfter: 0,
      saw: undefined,
      verdict: undefined,
      change: undefined,
      sawHalf: false,
      stalled: false,
    };
    this.flights.push(request);
    if (this.flights.length > REMEMBERED) this.flights.shift();
    return request;
  }

  judged(request: Request, { before, after, answer, now, functionsNow }: Judgement): void {
    request.judgedAt = this.#moments += 1;
    request.now = Math.trunc(functionsNow);
    request.enteredAfter = now;
    request.saw = lineOf(before);
    const mint = { serial: answer ?? 0, issuedAt: 0, endsAt: 0 };
    const isChanged = before !== after;
    if (answer === undefined) request.verdict = { kind: 'refused' };
    else request.verdict = isChanged ? { kind: 'new', mint, after: lineOf(after) } : { kind: 'again', mint };
    if (isChanged) request.change = { before: request.saw, after: lineOf(after) };
  }

  arrived(request: Request): void {
    request.arrivedAt = this.#moments += 1;
  }

  /** @throws {Error} where the schedule that lost the session has no name */
  lossBy(refused: Request): Loss {
    const loss = lossOf(refused);
    if (loss === undefined) throw new Error('an honest device was logged out in a way that has no name');
    return loss;
  }
}

/** A stored session as a line of tokens. Its times play no part in how it was lost. */
function lineOf({ epoch, revokedAt, expiresAt, maxExpiresAt, base, current, ...last }: Session): Line {
  const { parent, rotatedAt, changedAt, client } = last;
  const live = Array.from({ length: current - base }, (_, index) => ({
    serial: base + 1 + index,
    issuedAt: 0,
    endsAt: 0,
  }));
  return {
    epoch,
    ended: revokedAt !== undefined,
    idleEnd: expiresAt,
    absoluteEnd: maxExpiresAt,
    live,
    ...(parent !== undefined && rotatedAt !== undefined && { used: { serial: parent, at: rotatedAt } }),
    ...(changedAt !== undefined && { made: { at: changedAt, by: client } }),
  };
}
