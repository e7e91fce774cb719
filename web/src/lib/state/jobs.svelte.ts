// Long work that the server goes on with by itself: copying, moving, deleting big trees.
import { cancelJob, listJobs } from "../api/files.ts";
import { Problem } from "../api/problem.ts";
import type { Job } from "../api/types.ts";

/** How often to ask while something runs and nobody tells (ms). */
const ASK_EVERY_MS = 700;
/** Finished work stays in sight for so long (ms). */
const DONE_STAYS_MS = 4000;

/** Work that failed; `message` is the server's. */
export class JobFailed extends Error {}

class Jobs {
  /** One's own work that runs, and what has just ended. */
  all = $state.raw<readonly Job[]>([]);
  isBusy = $derived(this.all.some((job) => job.state === "running"));
  #labels = new Map<string, string>();
  #waiting = new Map<string, { resolve: () => void; reject: (cause: Error) => void }>();
  #gone = new Set<string>();
  #isAsking = false;

  /** What a piece of work is called here; "" for what another tab began. */
  labelOf(id: string): string {
    return this.#labels.get(id) ?? "";
  }

  /** Waits for the end of a piece of work. Rejects when it fails or is cancelled. */
  follow(id: string, label: string): Promise<void> {
    this.#labels.set(id, label);
    const end = new Promise<void>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    void this.#watch();
    return end;
  }

  async cancel(id: string): Promise<void> {
    await cancelJob(id);
    await this.ask();
  }

  /** Looks whether anything runs that another tab, or this page before, began. */
  async look(): Promise<void> {
    await this.ask();
    if (this.isBusy) void this.#watch();
  }

  /** Somebody told that something changed. */
  told(): void {
    void this.#watch();
  }

  async #watch(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      do {
        await this.ask();
        if (!this.isBusy && this.#waiting.size === 0) break;
        await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
      } while (this.isBusy || this.#waiting.size > 0);
    } finally {
      this.#isAsking = false;
    }
  }

  async ask(): Promise<void> {
    let all: Job[];
    try {
      all = await listJobs();
    } catch (cause) {
      // Away for now: what waits goes on waiting. Anything else will not get better.
      if (cause instanceof Problem && (cause.kind === "away" || cause.kind === "tooSoon")) return;
      this.#settleAll(cause instanceof Error ? cause : new JobFailed());
      return;
    }
    for (const [id, waiting] of this.#waiting) {
      const job = all.find((one) => one.id === id);
      if (job?.state === "running") continue;
      this.#waiting.delete(id);
      if (job?.state === "done") waiting.resolve();
      // One the server does not know any more was lost with it.
      else waiting.reject(new JobFailed(job?.state === "cancelled" ? "" : (job?.error ?? "lost")));
    }
    for (const job of all) {
      if (job.state === "running" || this.#gone.has(job.id)) continue;
      // Ended before this page saw it run: nobody's news, and a sign of it would only flicker.
      if (!this.all.some((one) => one.id === job.id)) this.#gone.add(job.id);
      else setTimeout(() => this.#forget(job.id), DONE_STAYS_MS);
    }
    this.all = all.filter((job) => !this.#gone.has(job.id));
  }

  #forget(id: string): void {
    this.#gone.add(id);
    this.all = this.all.filter((job) => job.id !== id);
  }

  #settleAll(cause: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(cause);
    this.#waiting.clear();
    this.all = [];
  }
}

export const jobs = new Jobs();

/** How much of a piece of work is done, from 0 to 1; `undefined` while nobody can say. */
export function shareDone(job: Job): number | undefined {
  if (job.state === "done") return 1;
  if (job.total_bytes > 0) return Math.min(1, job.done_bytes / job.total_bytes);
  if (job.total_items > 0) return Math.min(1, job.done_items / job.total_items);
  return undefined;
}
