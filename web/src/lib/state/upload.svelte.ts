// One file on its way, and sums over many.
import type { Problem } from "../api/problem.ts";
import type { IfExists } from "../api/types.ts";
import type { Release } from "./claims.ts";
import type { Batch, Side } from "./collisions.svelte.ts";
import type { BatchMemory } from "./keptUploads.ts";

/**
 * `asking`: its name is taken, and the reader has yet to say what to do. `elsewhere`: another window sends it.
 * `skipped`: the very file is there already.
 */
export type UploadState = "asking" | "waiting" | "running" | "elsewhere" | "done" | "skipped" | "failed";

/** Files brought together. */
export interface UploadBatch extends Batch {
  /** It goes on with what was begun another time. */
  isContinued: boolean;
  /** How many go into each folder. */
  counts: Map<string, number>;
  /** What is in folders that many go to, by name. */
  there: Map<string, Promise<Map<string, Side>>>;
}

export class Upload {
  state = $state<UploadState>("waiting");
  sentBytes = $state(0);
  /** Why it failed. */
  problem = $state.raw<Problem>();
  /** Runs, and waits for the server to come back. */
  isHeld = $state(false);
  /** Where it went on after a break, or from another day (bytes). */
  continuedAt = $state<number>();
  /** A request broke off: it may have been stored all the same. */
  isUnanswered = false;
  /** The reader said what to do with a taken name. */
  ifExists: IfExists = "error";
  /** What is known to have its name. */
  there: Side | undefined;
  /** Its name at larder, while it is not whole there. */
  openId: string | undefined;
  /** Lets other windows have it. */
  release: Release | undefined;
  /** Counts it where the batch is remembered. */
  memory: BatchMemory | undefined;
  /** Tells whoever keeps it that it need not any longer. */
  onOver: (() => void) | undefined;
  /** It is asked about alone: an answer for all is none for it. */
  isAskedAlone = false;
  /** It is off the list: cancelled, or cleared. */
  isForgotten = false;
  /** Stops it while it runs. */
  running: AbortController | undefined;

  constructor(
    readonly id: number,
    readonly file: File,
    readonly folder: string,
    readonly batch: UploadBatch,
    readonly parcel: Parcel | undefined,
    readonly isPasted: boolean,
  ) {}
}

/** How many and how much. Counts on with each change: queues are long. */
export class Tally {
  all = $state(0);
  /** Stored, or there already. */
  done = $state(0);
  skipped = $state(0);
  failed = $state(0);
  asking = $state(0);
  /** Of what did not fail. */
  totalBytes = $state(0);
  sentBytes = $state(0);
  /** Counts on with each change of what each is doing. */
  changes = $state(0);
  isBusy = $derived(this.done + this.failed < this.all);

  /** Counts one in (1) or out (-1), as it is now. */
  count(one: Upload, sign: 1 | -1): void {
    this.changes += 1;
    this.all += sign;
    if (one.state === "done" || one.state === "skipped") this.done += sign;
    if (one.state === "skipped") this.skipped += sign;
    if (one.state === "failed") this.failed += sign;
    if (one.state === "asking") this.asking += sign;
    if (one.state === "failed") return;
    this.totalBytes += sign * one.file.size;
    this.sentBytes += sign * one.sentBytes;
  }
}

/** A folder that was brought: one line for all that is in it. */
export class Parcel {
  readonly tally = new Tally();
  all = $state.raw<Upload[]>([]);

  constructor(
    readonly id: number,
    /** Where it goes, with its name. */
    readonly path: string,
  ) {}
}
