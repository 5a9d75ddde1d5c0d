/** A session broke one of its promises. The schedule that made it do so is what fast-check prints. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

export function must(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new Broken(promise);
}

/**
 * Watches which token of a session came of which, and nothing else: no times, no clients, no rule. The tokens that were
 * used must form one line, and a token beside that line must end the session.
 */
export class Spine {
  /** The newest token that was used; none before the first refresh. */
  #tip: number | undefined;
  #parents = new Map<number, number | undefined>([[0, undefined]]);
  /** After a restored backup, tokens turn up whose parent nobody remembers. */
  #forgetful = false;

  /** Whether a token is the newest that was used, or came of it. */
  holds(serial: number): boolean {
    if (this.#forgetful && !this.#parents.has(serial)) return true;
    return serial === this.#tip || (this.#parents.has(serial) && this.#parents.get(serial) === this.#tip);
  }

  /** A copy to go on from after this moment was restored. */
  remembered(): Spine {
    const copy = new Spine();
    copy.#tip = this.#tip;
    copy.#parents = new Map(this.#parents);
    copy.#forgetful = true;
    return copy;
  }

  grow(used: number, made: number): void {
    must(this.holds(used), 'at most one line of used tokens lives');
    this.#tip = used;
    this.#parents.set(made, used);
  }
}
