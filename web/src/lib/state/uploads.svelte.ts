// The upload queue: what waits, runs, is done or failed. Asks what to do where a name is taken.
import { upload } from "../api/http.ts";
import { Problem, type ProblemKind } from "../api/problem.ts";
import type { IfExists } from "../api/types.ts";
import { leftBecause } from "./session.svelte.ts";

/** Uploads that run at once: two keep a slow link busy while the server syncs the other one. */
const AT_ONCE_MAX = 2;

/** What the reader wants done with a taken name. */
export type Choice = "overwrite" | "rename" | "skip";

export interface Upload {
  readonly id: number;
  readonly file: File;
  readonly folder: string;
  state: "waiting" | "running" | "done" | "failed";
  sentBytes: number;
  problem: ProblemKind | undefined;
}

/** A name that is taken, and the way to say what to do. */
export interface Collision {
  name: string;
  /** More questions may follow, so "for all" makes sense. */
  isOneOfMany: boolean;
  answer: (choice: Choice, isForAll: boolean) => void;
}

class Uploads {
  all = $state<Upload[]>([]);
  collision = $state.raw<Collision>();
  isBusy = $derived(this.all.some((one) => one.state === "waiting" || one.state === "running"));
  /** Called with the folder of each file that was stored. */
  onStored: (folder: string) => void = () => undefined;

  #nextId = 1;
  #ifExists = new Map<number, IfExists>();
  #cancels = new Map<number, AbortController>();
  /** Questions are asked one after the other. */
  #asking = Promise.resolve();

  /** Takes files for a folder, asking first about the names in `taken`. */
  async add(folder: string, files: File[], taken: ReadonlySet<string>): Promise<void> {
    let forAll: Choice | undefined;
    for (const file of files) {
      let choice: Choice | undefined;
      if (taken.has(file.name)) {
        choice = forAll;
        if (!choice) {
          const answer = await this.#ask(file.name, files.length > 1);
          choice = answer.choice;
          if (answer.isForAll) forAll = choice;
        }
        if (choice === "skip") continue;
      }
      const id = this.#nextId++;
      this.#ifExists.set(id, choice ?? "error");
      this.all.push({ id, file, folder, state: "waiting", sentBytes: 0, problem: undefined });
      this.#pump();
    }
  }

  /** Stops one, whatever it is doing, and forgets it. */
  cancel(id: number): void {
    this.#cancels.get(id)?.abort();
    this.#forget(id);
  }

  retry(one: Upload): void {
    one.state = "waiting";
    one.problem = undefined;
    this.#pump();
  }

  /** Forgets what is over. */
  clear(): void {
    for (const one of this.all.filter((one) => one.state === "done" || one.state === "failed")) {
      this.#forget(one.id);
    }
  }

  #forget(id: number): void {
    this.#ifExists.delete(id);
    this.all = this.all.filter((one) => one.id !== id);
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
    const cancel = new AbortController();
    this.#cancels.set(one.id, cancel);
    one.sentBytes = 0;
    try {
      const ifExists = this.#ifExists.get(one.id) ?? "error";
      const onProgress = (sentBytes: number) => {
        // The form around the file counts too; more than all would look odd.
        one.sentBytes = Math.min(sentBytes, one.file.size);
      };
      await upload(one.folder, one.file, ifExists, onProgress, cancel.signal);
      one.sentBytes = one.file.size;
      one.state = "done";
      this.onStored(one.folder);
    } catch (cause) {
      if (cancel.signal.aborted || leftBecause(cause)) return;
      const kind = cause instanceof Problem ? cause.kind : "fault";
      if (kind === "collision") return await this.#askAgain(one);
      one.state = "failed";
      one.problem = kind;
    } finally {
      this.#cancels.delete(one.id);
    }
  }

  /** Somebody took the name after we looked. */
  async #askAgain(one: Upload): Promise<void> {
    const { choice } = await this.#ask(one.file.name, false);
    if (choice === "skip") return this.#forget(one.id);
    this.#ifExists.set(one.id, choice);
    one.state = "waiting";
  }

  #ask(name: string, isOneOfMany: boolean): Promise<{ choice: Choice; isForAll: boolean }> {
    const answered = this.#asking.then(
      () =>
        new Promise<{ choice: Choice; isForAll: boolean }>((resolve) => {
          const answer = (choice: Choice, isForAll: boolean) => {
            this.collision = undefined;
            resolve({ choice, isForAll });
          };
          this.collision = { name, isOneOfMany, answer };
        }),
    );
    this.#asking = answered.then(() => undefined);
    return answered;
  }
}

export const uploads = new Uploads();
