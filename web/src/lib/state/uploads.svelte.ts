// The upload queue: what waits, runs, is done or failed. Asks what to do where a name is taken.
import { readFacts } from "../api/files.ts";
import { upload } from "../api/http.ts";
import { Problem, type ProblemKind } from "../api/problem.ts";
import type { IfExists } from "../api/types.ts";
import { type Batch, type Clash, collisions, type Collisions, type Side } from "./collisions.svelte.ts";
import { Pace } from "./pace.ts";
import { joinPath } from "./paths.ts";
import { keepTrying } from "./retry.ts";
import { leftBecause } from "./session.svelte.ts";

/** Uploads that run at once: they keep a slow link busy while the server syncs the others. */
const AT_ONCE_MAX = 3;
/** How often the figures are looked at anew, so that none stays when nothing moves (ms). */
const LOOK_EVERY_MS = 1000;
/** What the server's whole seconds may hide of a file's age (s). */
const AGE_S_SLACK = 2;

/** One file on its way. */
export class Upload {
  /** `asking`: its name is taken, and the reader has yet to say what to do. */
  state = $state<"asking" | "waiting" | "running" | "done" | "failed">("waiting");
  sentBytes = $state(0);
  problem = $state<ProblemKind>();
  /** Runs, and waits for the server to come back. */
  isHeld = $state(false);
  /** Broke off and began again: larder keeps nothing of a file that did not come whole. */
  isAnew = $state(false);
  /** When the server was first sent it and did not answer (ms); it may have stored it all the same. */
  unansweredSinceMs: number | undefined;
  /** Stops it while it runs. */
  running: AbortController | undefined;

  constructor(
    readonly id: number,
    readonly file: File,
    readonly folder: string,
    readonly batch: Batch,
    public ifExists: IfExists,
  ) {}
}

export class Uploads {
  all = $state.raw<readonly Upload[]>([]);
  doneCount = $derived(this.all.filter((one) => one.state === "done").length);
  failedCount = $derived(this.all.filter((one) => one.state === "failed").length);
  askingCount = $derived(this.all.filter((one) => one.state === "asking").length);
  isBusy = $derived(this.doneCount + this.failedCount < this.all.length);
  totalBytes = $derived(this.all.reduce((sum, one) => sum + one.file.size, 0));
  sentBytes = $derived(this.all.reduce((sum, one) => sum + one.sentBytes, 0));
  /** Bytes a second just now, and what that leaves (s); `undefined` while nobody can say. */
  bytesPerS = $state<number>();
  leftS = $derived(
    this.bytesPerS ? (this.totalBytes - this.sentBytes) / this.bytesPerS : undefined,
  );
  /** Called with the folder of each file that was stored. */
  onStored: (folder: string) => void = () => undefined;

  #nextId = 1;
  #runningCount = 0;
  #pace = new Pace();
  #look: ReturnType<typeof setInterval> | undefined;

  constructor(readonly collisions: Collisions) {}

  /** Takes files brought together; `there` is what is known to have a name already. */
  async add(items: { folder: string; file: File; there?: Side | undefined }[]): Promise<void> {
    const batch: Batch = { open: new Set(items.map((item) => item.file)) };
    const taken: { one: Upload; there: Side }[] = [];
    const all = items.map(({ folder, file, there }) => {
      const one = new Upload(this.#nextId++, file, folder, batch, "error");
      if (there) {
        one.state = "asking";
        taken.push({ one, there });
      }
      return one;
    });
    this.#push(all);
    for (const { one, there } of taken) await this.#choose(one, there);
  }

  /** Stops one, whatever it is doing, and forgets it. */
  cancel(one: Upload): void {
    one.running?.abort();
    this.#forget([one]);
  }

  cancelAll(): void {
    const all = this.all;
    this.#forget(all);
    for (const one of all) one.running?.abort();
  }

  retry(one: Upload): void {
    one.state = "waiting";
    one.problem = undefined;
    this.#pump();
  }

  retryAll(): void {
    for (const one of this.all) if (one.state === "failed") this.retry(one);
  }

  /** Forgets what is over. */
  clear(): void {
    this.#forget(this.all.filter((one) => one.state === "done" || one.state === "failed"));
  }

  #push(more: Upload[]): void {
    if (more.length === 0) return;
    this.all = [...this.all, ...more];
    this.#pump();
  }

  #forget(some: readonly Upload[]): void {
    const gone = new Set(some);
    this.all = this.all.filter((one) => !gone.has(one));
    for (const one of some) one.batch.open.delete(one.file);
  }

  #pump(): void {
    while (this.#runningCount < AT_ONCE_MAX) {
      const next = this.all.find((one) => one.state === "waiting");
      if (!next) return;
      next.state = "running";
      this.#runningCount += 1;
      this.#look ??= setInterval(() => this.#readPace(), LOOK_EVERY_MS);
      void this.#send(next).finally(() => {
        this.#runningCount -= 1;
        if (this.#runningCount === 0) this.#rest();
        this.#pump();
      });
    }
  }

  /** Nothing runs: the next upload begins with a clean measure. */
  #rest(): void {
    clearInterval(this.#look);
    this.#look = undefined;
    this.#pace = new Pace();
    this.bytesPerS = undefined;
  }

  #readPace(): void {
    this.bytesPerS = this.#pace.perSecond(performance.now());
  }

  async #send(one: Upload): Promise<void> {
    const running = (one.running = new AbortController());
    const onProgress = (sentBytes: number) => {
      // The form around the file counts too; more than all would look odd.
      const sent = Math.min(sentBytes, one.file.size);
      this.#pace.add(Math.max(0, sent - one.sentBytes), performance.now());
      this.#readPace();
      one.sentBytes = sent;
    };
    let beganMs = 0;
    const attempt = () => {
      beganMs = performance.now();
      one.isAnew ||= one.isHeld;
      one.isHeld = false;
      return upload(one.folder, one.file, one.ifExists, onProgress, running.signal);
    };
    const hold = () => {
      one.isHeld = true;
      // What was sent is lost, and what was known of its speed says nothing of the next try.
      one.sentBytes = 0;
      this.#pace = new Pace();
      this.bytesPerS = undefined;
      one.unansweredSinceMs ??= beganMs;
    };
    try {
      await keepTrying(attempt, hold, running.signal);
      this.#finish(one);
    } catch (cause) {
      if (running.signal.aborted || leftBecause(cause)) return;
      const kind = cause instanceof Problem ? cause.kind : "fault";
      if (kind === "collision" && (await isStored(one, running.signal))) return this.#finish(one);
      // Not waited for: whoever thinks about an answer holds up no other upload.
      if (kind === "collision") return void this.#askAgain(one, running.signal);
      one.state = "failed";
      one.problem = kind;
      one.sentBytes = 0;
    } finally {
      one.isHeld = false;
      one.running = undefined;
    }
  }

  #finish(one: Upload): void {
    one.sentBytes = one.file.size;
    one.state = "done";
    one.batch.open.delete(one.file);
    this.onStored(one.folder);
  }

  /** The name is taken though nobody knew it. */
  async #askAgain(one: Upload, signal: AbortSignal): Promise<void> {
    one.state = "asking";
    one.sentBytes = 0;
    one.batch.open.add(one.file);
    await this.#choose(one, await sideOf(joinPath(one.folder, one.file.name), signal));
  }

  /** Asks what to do with one whose name is taken, and does it. */
  async #choose(one: Upload, there: Side | undefined): Promise<void> {
    const choice = await this.collisions.choose(one.file, one.batch, clashOf(one.file, there));
    if (choice === "skip") return this.#forget([one]);
    if (!this.all.includes(one)) return;
    one.ifExists = choice;
    one.state = "waiting";
    this.#pump();
  }
}

function clashOf(file: File, there: Side | undefined): Clash {
  const modified = new Date(file.lastModified).toISOString();
  return { name: file.name, brought: { size: file.size, modified }, there };
}

/** What is known of a stored file; nothing where it may not be looked at, or is a folder. */
async function sideOf(path: string, signal: AbortSignal): Promise<Side | undefined> {
  try {
    return await readFacts(path, signal);
  } catch {
    return undefined;
  }
}

/** Whether its name is taken by the very file: it was stored, and only the answer was lost. */
async function isStored(one: Upload, signal: AbortSignal): Promise<boolean> {
  if (one.unansweredSinceMs === undefined) return false;
  try {
    const { size, ageS } = await readFacts(joinPath(one.folder, one.file.name), signal);
    const sinceS = (performance.now() - one.unansweredSinceMs) / 1000;
    return size === one.file.size && ageS <= sinceS + AGE_S_SLACK;
  } catch {
    // Nobody can say; the reader can.
    return false;
  }
}

export const uploads = new Uploads(collisions);
