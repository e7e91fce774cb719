// The line in which pictures wait to be fetched: few at once, so that what is asked of larder meanwhile has
// room, and what is in sight before what is not. Knows no picture.

/** Pictures on their way at once: a browser has six connections to one server, and one hears events. */
const AT_ONCE_MAX = 4;

/** What goes first: the small pictures in sight, then those around, then the sharp ones. */
export type Rank = 0 | 1 | 2;

/** Fetches; resolves when that is over, well or not. Ends early when the signal says so. */
type Job = (signal: AbortSignal) => Promise<void>;

interface Waiting {
  rank: () => Rank;
  job: Job;
  stop: AbortController;
}

export class Line {
  #waiting: Waiting[] = [];
  #running = 0;
  #idle = new Set<() => void>();

  constructor(readonly atOnce = AT_ONCE_MAX) {}

  /**
   * Puts something in line; `rank` is asked each time there is room. Returns the way to take it out, which
   * also ends it when it is under way.
   */
  ask(rank: () => Rank, job: Job): () => void {
    const one: Waiting = { rank, job, stop: new AbortController() };
    this.#waiting.push(one);
    // Not within whoever asks: what others' ranks read would be taken for something that this one depends on, and
    // what it has begun for something to begin anew.
    queueMicrotask(() => this.#pump());
    return () => {
      one.stop.abort();
      this.#waiting = this.#waiting.filter((other) => other !== one);
    };
  }

  /** Nothing is on its way and nothing waits. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  /** Resolves once the line is idle. */
  untilIdle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idle.add(resolve));
  }

  #pump(): void {
    while (this.#running < this.atOnce) {
      const next = this.#takeNext();
      if (!next) break;
      this.#running += 1;
      void next
        .job(next.stop.signal)
        .catch(() => undefined)
        .finally(() => {
          this.#running -= 1;
          this.#pump();
        });
    }
    if (!this.isIdle) return;
    for (const tell of this.#idle) tell();
    this.#idle.clear();
  }

  /** The first of those that rank best. */
  #takeNext(): Waiting | undefined {
    const [first] = this.#waiting;
    if (!first) return undefined;
    const best = this.#waiting.reduce((one, other) => (other.rank() < one.rank() ? other : one), first);
    this.#waiting.splice(this.#waiting.indexOf(best), 1);
    return best;
  }
}

export const line = new Line();
