// What is selected on the wall, and where the keyboard is. Photos are counted across all months, from 0.
import type { Photo } from "./source.ts";

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
  reach: (from: number, to: number) => Promise<void>;
}

/** A place on the wall that is found again when others have come or gone before it. */
interface Place {
  index: number;
  path: string | undefined;
  isLast: boolean;
}

export class Choice {
  photos = $state.raw<ReadonlyMap<string, Photo>>(new Map());
  /** -1 before the keyboard was anywhere. */
  cursor = $state(-1);
  #anchor = -1;
  /** What a stretch adds to. */
  #kept: ReadonlyMap<string, Photo> = new Map();
  /** The last stretch that was asked for: a slower one before it is out of date. */
  #stretch = 0;

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
    this.#stretch += 1;
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
    const mine = (this.#stretch += 1);
    const [start, end] = [this.#placeOf(this.#anchor), this.#placeOf(index)];
    await this.wall.reach(Math.min(this.#anchor, index), Math.max(this.#anchor, index));
    if (mine !== this.#stretch) return;
    this.#anchor = this.#find(start);
    this.cursor = this.#find(end);
    const photos = new Map(this.#kept);
    const [from, to] = [Math.min(this.#anchor, this.cursor), Math.max(this.#anchor, this.cursor)];
    for (const photo of this.wall.between(from, to)) photos.set(photo.path, photo);
    this.photos = photos;
  }

  /** Selects a whole stretch, or nothing of it where all of it is selected. */
  async toggleAll(from: number, to: number): Promise<void> {
    const mine = (this.#stretch += 1);
    await this.wall.reach(from, to);
    // Called off, or something else was selected meanwhile.
    if (mine !== this.#stretch) return;
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

  clear(): void {
    this.#stretch += 1;
    this.photos = new Map();
    this.#kept = this.photos;
    this.#anchor = this.cursor;
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
