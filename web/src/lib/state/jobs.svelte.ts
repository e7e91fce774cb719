// Long work that the server goes on with by itself: copying, moving, deleting big trees.
import { cancelJob, listJobs } from "../api/files.ts";
import { kindOfCode, Problem } from "../api/problem.ts";
import type { Job } from "../api/types.ts";

/** How often to ask while something runs and nobody tells (ms). */
const ASK_EVERY_MS = 700;
/** And how often at most while it is told of changes (ms). */
const ASK_AGAIN_MS = 100;
/** Work that takes less than this shows no line: it would only flicker (ms). */
const QUICK_MS = 600;
/** Finished work stays in sight for so long, where nothing else says that it is done (ms). */
const DONE_STAYS_MS = 4000;

/** Work that was called off. */
export class JobCancelled extends Error {}

export class Jobs {
  /** One's own work that runs, and what has just ended, as far as it is worth a line. */
  all = $state.raw<readonly Job[]>([]);
  isBusy = false;
  #labels = new Map<string, string>();
  #waiting = new Map<string, { resolve: (job: Job) => void; reject: (cause: Error) => void }>();
  #gone = new Set<string>();
  /** When a piece of work was first heard of (ms, by this page's clock). */
  #since = new Map<string, number>();
  #isAsking = false;
  #wake: () => void = () => undefined;

  /** What a piece of work is called here; "" for what another tab began. */
  labelOf(id: string): string {
    return this.#labels.get(id) ?? "";
  }

  /** Waits for the end of a piece of work. Rejects when it fails or is cancelled. */
  follow(id: string, label: string): Promise<Job> {
    this.#labels.set(id, label);
    this.#since.set(id, performance.now());
    const end = new Promise<Job>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
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
    if (this.#isAsking) return this.#wake();
    this.#isAsking = true;
    try {
      for (;;) {
        let isWoken = false;
        const woken = new Promise<void>((resolve) => {
          this.#wake = () => {
            isWoken = true;
            resolve();
          };
        });
        await this.ask();
        if (!isWoken && !this.isBusy && this.#waiting.size === 0) break;
        // Not more often than that, however much is told.
        await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
        const patience = new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS - ASK_AGAIN_MS));
        await Promise.race([woken, patience]);
      }
    } finally {
      this.#isAsking = false;
    }
  }

  async ask(): Promise<void> {
    let all: Job[];
    // What begins while the answer is on its way cannot be in it.
    const asked = [...this.#waiting];
    try {
      all = await listJobs();
    } catch (cause) {
      // Away for now: what waits goes on waiting. Anything else will not get better.
      if (cause instanceof Problem && (cause.kind === "away" || cause.kind === "tooSoon")) return;
      this.#settleAll(cause instanceof Error ? cause : failureOf(undefined));
      return;
    }
    const isTold = new Set<string>();
    for (const [id, waiting] of asked) {
      const job = all.find((one) => one.id === id);
      if (job?.state === "running") continue;
      this.#waiting.delete(id);
      isTold.add(id);
      if (job?.state === "done") waiting.resolve(job);
      else waiting.reject(job?.state === "cancelled" ? new JobCancelled() : failureOf(job));
    }
    const shown = new Set(this.all.map((job) => job.id));
    for (const { id, state } of all) {
      // What this page did not begin has run for a while already.
      if (!this.#since.has(id)) this.#since.set(id, -Infinity);
      if (state === "running" || this.#gone.has(id)) continue;
      // Who waited for it says that it is done; what was never shown is nobody's news.
      if (isTold.has(id) || !shown.has(id)) this.#gone.add(id);
      else setTimeout(() => this.#forget(id), DONE_STAYS_MS);
    }
    for (const id of this.#since.keys()) {
      if (this.#waiting.has(id) || all.some((job) => job.id === id)) continue;
      this.#since.delete(id);
      this.#labels.delete(id);
      this.#gone.delete(id);
    }
    this.isBusy = all.some((job) => job.state === "running");
    const isQuick = (job: Job) => performance.now() - (this.#since.get(job.id) ?? 0) < QUICK_MS;
    this.all = all.filter((job) => !this.#gone.has(job.id) && (shown.has(job.id) || !isQuick(job)));
  }

  #forget(id: string): void {
    this.#gone.add(id);
    this.all = this.all.filter((job) => job.id !== id);
  }

  #settleAll(cause: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(cause);
    this.#waiting.clear();
    this.all = [];
    // Else it would be asked for ever.
    this.isBusy = false;
  }
}

export const jobs = new Jobs();

/** Why a piece of work failed; one that the server does not know any more was lost with it. */
export function failureOf(job: Job | undefined): Problem {
  const { code = "", error = "lost", failed = [] } = job ?? {};
  return new Problem(kindOfCode(code) ?? "fault", error, { code, failed });
}

/** How much of a piece of work is done, from 0 to 1; `undefined` while nobody can say. */
export function shareDone(job: Job): number | undefined {
  if (job.state === "done") return 1;
  if (job.total_bytes > 0) return Math.min(1, job.done_bytes / job.total_bytes);
  if (job.total_items > 0) return Math.min(1, job.done_items / job.total_items);
  return undefined;
}
