// The photos of a wall: how many each month has, and those of the months that are looked at. Knows no page.
import { Problem, type ProblemKind } from "../api/problem.ts";
import { keepReading } from "../state/retry.ts";
import { leftBecause } from "../state/session.svelte.ts";
import type { Month, Photo, PhotoSource } from "./source.ts";

/** Photos that are kept when they are not looked at any more (each some 400 bytes). */
const KEPT_MAX = 12_000;
/** How long changes are gathered before the months are asked for again (ms). */
const REFRESH_AFTER_MS = 1000;

/** How photos are waited for that may take a while. */
export interface Reaching {
  signal?: AbortSignal;
  /** Told how many of them are there. */
  onprogress?: (count: number) => void;
}

export class Timeline {
  months = $state.raw<readonly Month[]>([]);
  /** Every folder was looked through once. */
  isComplete = $state(true);
  /** Nothing has been answered yet, neither months nor a problem. */
  isFirst = $state(true);
  problem = $state<ProblemKind>();
  /** The photos of months, by the month. */
  #photos = $state.raw<ReadonlyMap<string, readonly Photo[]>>(new Map());
  /** How many photos each month has, as far as is known. */
  counts = $derived(this.months.map(({ count }) => count));
  total = $derived(this.counts.reduce((sum, count) => sum + count, 0));
  /** Photos that stay loaded, whatever is looked at. */
  pinned: () => Iterable<Photo> = () => [];
  /** Told whenever all months were counted. */
  oncounted: () => void = () => undefined;
  /** What was taken off and may still be in answers, and the month of each. */
  #leaving = new Map<string, string>();
  /** How many photos each month had when all were counted last; `months` knows better once its photos are there. */
  #told = new Map<string, number>();
  /** Months that are on their way, and months whose photos may have changed. */
  #running = new Map<string, { stop: AbortController; done: Promise<void> }>();
  #stale = new Set<string>();
  /** Months that somebody waits for, looked at or not: all of them stay until the last one is there. */
  #reached = new Set<readonly string[]>();
  #asking = new AbortController();
  #asked: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Those who wait for the next answer. */
  #waiting: (() => void)[] = [];

  constructor(readonly source: PhotoSource) {}

  /** Asks how many photos there are. What is known stays until there is an answer. */
  load(): Promise<void> {
    this.#asking.abort();
    this.#asking = new AbortController();
    return (this.#asked = this.#ask(this.#asking));
  }

  async #ask(asking: AbortController): Promise<void> {
    const onPassing = (problem: Problem) => {
      if (this.isFirst) this.problem = problem.kind;
    };
    try {
      const { months, complete } = await keepReading(() => this.source.months(asking.signal), onPassing, asking.signal);
      this.#take(months);
      this.isComplete = complete;
      this.problem = undefined;
      this.isFirst = false;
      this.oncounted();
    } catch (cause) {
      if (asking.signal.aborted || leftBecause(cause)) return;
      this.problem = cause instanceof Problem ? cause.kind : "fault";
      this.isFirst = false;
    }
  }

  /** Something has changed: asks again soon, once for many changes. */
  refresh(): void {
    for (const month of this.#photos.keys()) this.#stale.add(month);
    this.#timer ??= setTimeout(() => {
      // Not before there is an answer: where changes come faster than answers, there would never be one.
      void this.#asked.then(() => {
        if (this.#timer === undefined) return;
        this.#timer = undefined;
        const waiting = this.#waiting.splice(0);
        void this.load().then(() => {
          for (const go of waiting) go();
        });
      });
    }, REFRESH_AFTER_MS);
  }

  stop(): void {
    this.#asking.abort();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const go of this.#waiting.splice(0)) go();
    for (const { stop } of this.#running.values()) stop.abort();
  }

  /** The photos of a month; none while they are not there. */
  of(month: number): readonly Photo[] | undefined {
    return this.#photos.get(this.months[month]?.month ?? "");
  }

  /** The photo with a number, counted over all months from 0. */
  at(index: number): Photo | undefined {
    let left = index;
    for (let month = 0; month < this.counts.length; month += 1) {
      const count = this.counts[month] ?? 0;
      if (left < count) return this.of(month)?.[left];
      left -= count;
    }
    return undefined;
  }

  /** The photos of a stretch that are there, both ends included. */
  between(from: number, to: number): Photo[] {
    const found: Photo[] = [];
    let first = 0;
    for (const { month, count } of this.months) {
      if (first <= to && first + count > from) {
        const photos = this.#photos.get(month)?.slice(Math.max(0, from - first), Math.min(count, to - first + 1));
        for (const photo of photos ?? []) found.push(photo);
      }
      first += count;
    }
    return found;
  }

  /** The month of a photo that is there; -1 where it is not. */
  monthWith(path: string): number {
    return this.months.findIndex(({ month }) => this.#photos.get(month)?.some((photo) => photo.path === path));
  }

  /** The number of a photo that is there; -1 where it is not. */
  indexOf(path: string): number {
    const found = this.monthWith(path);
    if (found === -1) return -1;
    const before = this.counts.slice(0, found).reduce((sum, count) => sum + count, 0);
    return before + (this.of(found)?.findIndex((photo) => photo.path === path) ?? 0);
  }

  /** Waits until the photos of a stretch are there, or nobody wants them any more. */
  async reachPhotos(from: number, to: number, how: Reaching = {}): Promise<void> {
    const wanted: string[] = [];
    let first = 0;
    for (const { month, count } of this.months) {
      if (first <= to && first + count > from) wanted.push(month);
      first += count;
    }
    await this.#reachAll(wanted, how);
  }

  /** Months that are looked at: what lacks is fetched, and nothing else any more. */
  look(from: number, to: number): void {
    const wanted = this.months.slice(from, to).map(({ month }) => month);
    for (const [month, { stop }] of this.#running) if (!wanted.includes(month) && !this.#isReached(month)) stop.abort();
    for (const month of wanted) if (!this.#photos.has(month) || this.#stale.has(month)) void this.#fetch(month);
    this.#drop(new Set(wanted));
  }

  /** Waits until the photos of these months are there, as they are now. */
  reach(from: number, to: number): Promise<void> {
    return this.#reachAll(this.months.slice(from, to).map(({ month }) => month));
  }

  async #reachAll(wanted: readonly string[], { signal, onprogress }: Reaching = {}): Promise<void> {
    let count = 0;
    this.#reached.add(wanted);
    try {
      for (const month of wanted) {
        if (signal?.aborted) return;
        if (!this.#photos.has(month) || this.#stale.has(month)) await this.#fetch(month);
        count += this.#photos.get(month)?.length ?? 0;
        onprogress?.(count);
      }
    } finally {
      this.#reached.delete(wanted);
    }
  }

  #isReached(month: string): boolean {
    return [...this.#reached].some((months) => months.includes(month));
  }

  /** Takes photos off before the server has said yes. */
  takeOff(paths: readonly string[]): void {
    const gone = new Set(paths);
    const [left, taken] = [new Map(this.#photos), new Map<string, number>()];
    for (const path of paths) this.#leaving.set(path, "");
    for (const [month, photos] of this.#photos) {
      const kept = photos.filter(({ path }) => !gone.has(path));
      if (kept.length === photos.length) continue;
      for (const { path } of photos) if (gone.has(path)) this.#leaving.set(path, month);
      left.set(month, kept);
      taken.set(month, photos.length - kept.length);
    }
    this.#photos = left;
    this.months = this.months
      .map(({ month, count }) => ({ month, count: count - (taken.get(month) ?? 0) }))
      .filter(({ count }) => count > 0);
  }

  /** What was taken off is decided; the next answers have the truth. Resolves with the first of them. */
  settle(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.#leaving.delete(path);
    this.refresh();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** How many photos a month has: those that are there are counted, where nothing newer is known. */
  #countOf(month: string, count: number): number {
    return this.#photos.get(month)?.length ?? count;
  }

  #take(months: readonly Month[]): void {
    const leaving = new Set(this.#leaving.values());
    const counted = months.map(({ month, count }): Month => {
      // What was taken off may be among those; told once it is decided.
      if (leaving.has(month)) return { month, count: this.#countOf(month, count) };
      const isNew = this.#told.get(month) !== count;
      this.#told.set(month, count);
      if (!isNew) return { month, count: this.#countOf(month, count) };
      this.#stale.add(month);
      return { month, count };
    });
    this.months = counted.filter(({ count }) => count > 0);
    const there = new Set(this.months.map(({ month }) => month));
    for (const month of this.#told.keys()) if (!there.has(month)) this.#told.delete(month);
    if ([...this.#photos.keys()].some((month) => !there.has(month))) {
      this.#photos = new Map([...this.#photos].filter(([month]) => there.has(month)));
    }
  }

  #fetch(month: string): Promise<void> {
    const running = this.#running.get(month);
    if (running && !running.stop.signal.aborted) return running.done;
    const stop = new AbortController();
    const done = this.#fetchAll(month, stop.signal).finally(() => {
      if (this.#running.get(month)?.stop === stop) this.#running.delete(month);
    });
    this.#running.set(month, { stop, done });
    return done;
  }

  async #fetchAll(month: string, signal: AbortSignal): Promise<void> {
    this.#stale.delete(month);
    try {
      const all: Photo[] = [];
      let after: string | undefined;
      do {
        const page = await keepReading(() => this.source.photos(month, after, signal), () => undefined, signal);
        all.push(...page.items.filter(({ path }) => !this.#leaving.has(path)));
        after = page.next;
      } while (after !== undefined);
      if (signal.aborted) return;
      this.#photos = new Map([...this.#photos, [month, all]]);
      this.#correct(month, all.length);
    } catch {
      // Asked again when it is looked at again.
      this.#stale.add(month);
    }
  }

  /** The photos that came are the latest word on how many there are. */
  #correct(month: string, count: number): void {
    if (this.months.every((one) => one.month !== month || one.count === count)) return;
    this.months = this.months
      .map((one) => (one.month === month ? { month, count } : one))
      .filter((one) => one.count > 0);
  }

  /** Forgets what nobody has looked at for longest. */
  #drop(wanted: ReadonlySet<string>): void {
    let kept = [...this.#photos.values()].reduce((sum, photos) => sum + photos.length, 0);
    if (kept <= KEPT_MAX) return;
    const pinned = new Set([...this.pinned()].map(monthOf));
    const left = new Map(this.#photos);
    for (const [month, photos] of this.#photos) {
      if (kept <= KEPT_MAX) break;
      if (wanted.has(month) || pinned.has(month) || this.#isReached(month)) continue;
      left.delete(month);
      kept -= photos.length;
    }
    this.#photos = left;
  }
}

/** The month in which a photo was taken. */
export function monthOf(photo: Pick<Photo, "taken">): string {
  return photo.taken.slice(0, 7);
}
