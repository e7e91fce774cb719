// What is selected on the wall, and where the keyboard is. Photos are counted across all months, from 0.
import type { Photo } from "./source.ts";
import type { Reaching } from "./timeline.svelte.ts";

/** What is known of the wall. */
export interface Wall {
  /** The photo with a number; `undefined` while it is not there. */
  photoAt: (index: number) => Photo | undefined;
  /** The photos of a stretch that are there, both ends included. */
  between: (from: number, to: number) => readonly Photo[];
  /** The number of a photo that is there; -1 where it is not. */
  indexOf: (path: string) => number;
  /** How many there are. */
  total: () => number;
  /** Waits until the photos of a stretch are there. Others may have come or gone by then. */
  reach: (from: number, to: number, how: Reaching) => Promise<void>;
}

/** A place on the wall that is found again when others have come or gone before it. */
interface Place {
  index: number;
  path: string | undefined;
  isLast: boolean;
}

/** What takes less than this gets no sign of waiting (ms). */
const SLOW_AFTER_MS = 200;

export class Choice {
  photos = $state.raw<ReadonlyMap<string, Photo>>(new Map());
  /** -1 before the keyboard was anywhere. */
  cursor = $state(-1);
  #anchor = -1;
  /** What a stretch adds to. */
  #kept: ReadonlyMap<string, Photo> = new Map();
  /** How many photos of a stretch are there, and of how many; `undefined` while none is waited for, or not for long. */
  waiting = $state.raw<{ count: number; all: number }>();
  /** The last stretch that was asked for: a slower one before it is out of date. */
  #stretch = new AbortController();

  constructor(readonly wall: Wall) {}

  get count(): number {
    return this.photos.size;
  }

  has(path: string): boolean {
    return this.photos.has(path);
  }

  /** One more or one less; a stretch begins there. */
  toggle(index: number): void {
    const photo = this.wall.photoAt(index);
    if (!photo) return;
    this.callOff();
    const photos = new Map(this.photos);
    if (!photos.delete(photo.path)) photos.set(photo.path, photo);
    this.photos = photos;
    this.begin(index);
  }

  /** A stretch begins here and adds to what is selected. */
  begin(index: number): void {
    this.cursor = index;
    this.#anchor = index;
    this.#kept = this.photos;
  }

  /** Selects from where the stretch began to here, across months. */
  async stretchTo(index: number): Promise<void> {
    this.cursor = index;
    if (this.#anchor === -1) this.begin(index);
    const [start, end] = [this.#placeOf(this.#anchor), this.#placeOf(index)];
    if (!(await this.#reach(Math.min(this.#anchor, index), Math.max(this.#anchor, index)))) return;
    this.#anchor = this.#find(start);
    this.cursor = this.#find(end);
    const photos = new Map(this.#kept);
    const [from, to] = [Math.min(this.#anchor, this.cursor), Math.max(this.#anchor, this.cursor)];
    for (const photo of this.wall.between(from, to)) photos.set(photo.path, photo);
    this.photos = photos;
  }

  /** Selects a whole stretch, or nothing of it where all of it is selected. */
  async toggleAll(from: number, to: number): Promise<void> {
    if (!(await this.#reach(from, to))) return;
    const all = this.wall.between(from, to);
    const isAll = all.every(({ path }) => this.photos.has(path));
    const photos = new Map(this.photos);
    for (const photo of all) {
      if (isAll) photos.delete(photo.path);
      else photos.set(photo.path, photo);
    }
    this.photos = photos;
    this.begin(from);
  }

  /** What is waited for is not wanted any more. */
  callOff(): void {
    this.#stretch.abort();
    this.waiting = undefined;
  }

  clear(): void {
    this.callOff();
    this.photos = new Map();
    this.#kept = this.photos;
    this.#anchor = this.cursor;
  }

  /** Waits for a stretch; `false` when it was called off, or something else was selected meanwhile. */
  async #reach(from: number, to: number): Promise<boolean> {
    this.callOff();
    const { signal } = (this.#stretch = new AbortController());
    const [all, began] = [to - from + 1, performance.now()];
    const onprogress = (count: number) => {
      if (!signal.aborted && performance.now() - began > SLOW_AFTER_MS) this.waiting = { count: Math.min(count, all), all };
    };
    await this.wall.reach(from, to, { signal, onprogress });
    if (signal.aborted) return false;
    this.waiting = undefined;
    return true;
  }

  #placeOf(index: number): Place {
    return { index, path: this.wall.photoAt(index)?.path, isLast: index === this.wall.total() - 1 };
  }

  #find({ index, path, isLast }: Place): number {
    if (path !== undefined && this.wall.photoAt(index)?.path !== path) {
      const now = this.wall.indexOf(path);
      if (now !== -1) return now;
    }
    return isLast ? this.wall.total() - 1 : Math.min(index, this.wall.total() - 1);
  }
}
