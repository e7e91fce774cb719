// What was left behind: uploads that larder has a part of, and batches that did not all arrive. Their files have
// to be chosen again, for no page may keep them.
import { ask, giveUp, isGone, listOpen, type Open } from "../api/tus.ts";
import type { Claims } from "./claims.ts";
import type { KeptBatch, KeptUploads } from "./keptUploads.ts";
import { isWithin } from "./paths.ts";
import { IDLE_AFTER_MS, isSameFile } from "./sending.ts";

/** A file that waits to be chosen again. */
export interface LeftFile extends Open {
  /** It came from the clipboard: it cannot be chosen again. */
  isPasted: boolean;
}

/** How soon to look again where another window sends something (ms): it may end. */
const LOOK_AGAIN_MS = 15_000;

/** How many are asked how far exactly they are. */
const ASKED_MAX = 20;

/** The lock of a whole batch. */
export const batchLock = (id: string) => `batch.${id}`;

export class Left {
  files = $state.raw<readonly LeftFile[]>([]);
  batches = $state.raw<readonly KeptBatch[]>([]);
  isAny = $derived(this.files.length + this.batches.length > 0);
  /** Those that are to wait, whether they have a line of their own or not. */
  #all: readonly Open[] = [];
  /** What went on or was given up since the look under way began. */
  #gone = new Set<string>();
  #now: Promise<void> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly kept: KeptUploads,
    readonly claims: Claims,
  ) {}

  /** Looks again. Whoever asks meanwhile gets the same answer. */
  refresh(): Promise<void> {
    this.#now ??= this.#look().finally(() => (this.#now = undefined));
    return this.#now;
  }

  /** What waits of a file that goes to `path`. */
  find(path: string, file: File): Open | undefined {
    return this.#all.find((one) => one.path === path && isSameFile(one, file));
  }

  /** One goes on, or is over. */
  leave(id: string): void {
    this.#gone.add(id);
    this.#all = this.#all.filter((one) => one.id !== id);
    this.files = this.files.filter((one) => one.id !== id);
  }

  /** The rest of these goes on, or nobody wants it. */
  leaveBatch(id: string): void {
    this.kept.dropBatch(id);
    this.#gone.add(id);
    this.batches = this.batches.filter((one) => one.id !== id);
  }

  /** Gives one up for good. */
  async discard(id: string): Promise<void> {
    this.leave(id);
    this.kept.dropFile(id);
    await giveUp(id);
  }

  async #look(): Promise<void> {
    clearTimeout(this.#again);
    this.#gone.clear();
    // Read before larder is asked: what begins meanwhile is not in its answer.
    const { files, batches } = this.kept.read();
    let open: readonly Open[];
    try {
      open = await listOpen();
    } catch {
      // It comes with the next look.
      return;
    }
    const known = new Map(files.map((one) => [one.id, one]));
    const all = await Promise.all(open.map(async (one) => ((await this.#waits(one, known.has(one.id))) ? one : undefined)));
    for (const { id } of files) if (!open.some((one) => one.id === id)) this.kept.dropFile(id);
    const free = await Promise.all(batches.map(async (one) => ((await this.#isTaken(batchLock(one.id))) ? undefined : one)));
    this.batches = free.filter((one) => one !== undefined).filter((one) => !this.#gone.has(one.id));
    this.#all = all.filter((one) => one !== undefined).filter((one) => this.#isStill(one));
    const waiting = this.#all
      // Of a folder one line is enough.
      .filter((one) => !this.batches.some((batch) => batch.isFolder && isWithin(one.path, batch.path)))
      .map((one) => ({ ...one, isPasted: known.get(one.id)?.isPasted ?? false }));
    const exact = await Promise.all(waiting.map((one, at) => (at < ASKED_MAX && known.has(one.id) ? exactly(one) : one)));
    this.files = exact.filter((one) => one !== undefined).filter((one) => this.#isStill(one));
  }

  /** Whether it has not gone on here since the look began. */
  #isStill({ id }: Open): boolean {
    return !this.#gone.has(id) && !this.claims.isOwn(id);
  }

  /** Whether somebody has it in hand. Another window may let go of it, even one that was just left. */
  async #isTaken(name: string): Promise<boolean> {
    if (!(await this.claims.isTaken(name))) return false;
    if (!this.claims.isOwn(name)) this.#lookAgain();
    return true;
  }

  #lookAgain(): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      // Out of sight nobody wants to know; whoever comes back looks anyway.
      if (!document.hidden) void this.refresh();
    }, LOOK_AGAIN_MS);
  }

  /** Whether nobody sends it: no window of this browser, and no other device. */
  async #waits(one: Open, isOurs: boolean): Promise<boolean> {
    if (await this.#isTaken(one.id)) return false;
    return isOurs || Date.now() - new Date(one.last).getTime() > IDLE_AFTER_MS;
  }
}

/**
 * How far one is, to the byte: the list knows no end of what was still on its way when the page was left.
 * `undefined` where it is whole after all, or gone.
 */
async function exactly(one: LeftFile): Promise<LeftFile | undefined> {
  try {
    const { offset, path } = await ask(one.id);
    return path === undefined ? { ...one, offset } : undefined;
  } catch (cause) {
    return isGone(cause) ? undefined : one;
  }
}
