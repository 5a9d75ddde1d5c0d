/** What is to happen, in the order of its time; of two things at one time, what was planned first. */
export class Agenda {
  readonly #heap: { readonly at: number; readonly order: number; readonly act: () => void }[] = [];
  #planned = 0;
  /** Seconds since the beginning. */
  now = 0;

  plan(at: number, act: () => void): void {
    const heap = this.#heap;
    const entry = { at, order: (this.#planned += 1), act };
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Lets everything happen until a time, or until `isOver`. */
  run(until: number, isOver: () => boolean): void {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at >= until || isOver()) return;
      this.#removeFirst();
      this.now = first.at;
      first.act();
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

interface Planned {
  readonly at: number;
  readonly order: number;
}

const before = (one: Planned, other: Planned): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);
