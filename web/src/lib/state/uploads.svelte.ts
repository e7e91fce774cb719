// The upload queue: what waits, runs, is done or failed. Asks what to do where a name is taken.
import { upload } from "../api/http.ts";
import { Problem, type ProblemKind } from "../api/problem.ts";
import type { IfExists } from "../api/types.ts";
import { leftBecause } from "./session.svelte.ts";

/** Uploads that run at once: two keep a slow link busy while the server syncs the other one. */
const AT_ONCE_MAX = 2;

/** What the reader wants done with a taken name. */
export type Choice = "overwrite" | "rename" | "skip";

/** Files brought together: one answer may hold for all of them. */
interface Batch {
  isMany: boolean;
  forAll: Choice | undefined;
}

/** One file on its way. */
export class Upload {
  state = $state<"waiting" | "running" | "done" | "failed">("waiting");
  sentBytes = $state(0);
  problem = $state<ProblemKind>();
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

/** A name that is taken, and the way to say what to do. */
export interface Collision {
  name: string;
  /** More questions may follow, so "for all" makes sense. */
  isOneOfMany: boolean;
  answer: (choice: Choice, isForAll: boolean) => void;
}

export class Uploads {
  all = $state<Upload[]>([]);
  collision = $state.raw<Collision>();
  isBusy = $derived(this.all.some((one) => one.state === "waiting" || one.state === "running"));
  /** Called with the folder of each file that was stored. */
  onStored: (folder: string) => void = () => undefined;

  #nextId = 1;
  /** Questions are asked one after the other. */
  #asking = Promise.resolve();

  /** Takes files brought together; `isTaken` where the name is known to be there. */
  async add(items: { folder: string; file: File; isTaken: boolean }[]): Promise<void> {
    const batch: Batch = { isMany: items.length > 1, forAll: undefined };
    for (const { folder, file, isTaken } of items) {
      let ifExists: IfExists = "error";
      if (isTaken) {
        const choice = await this.#choose(file.name, batch);
        if (choice === "skip") continue;
        ifExists = choice;
      }
      this.all.push(new Upload(this.#nextId++, file, folder, batch, ifExists));
      this.#pump();
    }
  }

  /** Stops one, whatever it is doing, and forgets it. */
  cancel(one: Upload): void {
    one.running?.abort();
    this.#forget(one);
  }

  retry(one: Upload): void {
    one.state = "waiting";
    one.problem = undefined;
    this.#pump();
  }

  /** Forgets what is over. */
  clear(): void {
    for (const one of this.all.filter((one) => one.state === "done" || one.state === "failed")) {
      this.#forget(one);
    }
  }

  #forget(one: Upload): void {
    this.all = this.all.filter((other) => other !== one);
  }

  #pump(): void {
    const running = this.all.filter((one) => one.state === "running").length;
    const next = this.all.filter((one) => one.state === "waiting");
    for (const one of next.slice(0, Math.max(0, AT_ONCE_MAX - running))) {
      one.state = "running";
      void this.#send(one).finally(() => this.#pump());
    }
  }

  async #send(one: Upload): Promise<void> {
    const running = (one.running = new AbortController());
    one.sentBytes = 0;
    try {
      const onProgress = (sentBytes: number) => {
        // The form around the file counts too; more than all would look odd.
        one.sentBytes = Math.min(sentBytes, one.file.size);
      };
      await upload(one.folder, one.file, one.ifExists, onProgress, running.signal);
      one.sentBytes = one.file.size;
      one.state = "done";
      this.onStored(one.folder);
    } catch (cause) {
      if (running.signal.aborted || leftBecause(cause)) return;
      const kind = cause instanceof Problem ? cause.kind : "fault";
      if (kind === "collision") return await this.#askAgain(one);
      one.state = "failed";
      one.problem = kind;
    } finally {
      one.running = undefined;
    }
  }

  /** The name is taken though nobody knew it. */
  async #askAgain(one: Upload): Promise<void> {
    const choice = await this.#choose(one.file.name, one.batch);
    if (choice === "skip") return this.#forget(one);
    one.ifExists = choice;
    one.state = "waiting";
  }

  /** What to do with a taken name; asked one after the other, and not once "for all" is said. */
  #choose(name: string, batch: Batch): Promise<Choice> {
    const chosen = this.#asking.then(async () => {
      if (batch.forAll) return batch.forAll;
      const { choice, isForAll } = await this.#ask(name, batch.isMany);
      if (isForAll) batch.forAll = choice;
      return choice;
    });
    this.#asking = chosen.then(() => undefined);
    return chosen;
  }

  #ask(name: string, isOneOfMany: boolean): Promise<{ choice: Choice; isForAll: boolean }> {
    return new Promise((resolve) => {
      const answer = (choice: Choice, isForAll: boolean) => {
        this.collision = undefined;
        resolve({ choice, isForAll });
      };
      this.collision = { name, isOneOfMany, answer };
    });
  }
}

export const uploads = new Uploads();
