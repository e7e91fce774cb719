// Long work that the server goes on with by itself: copying, moving, deleting big trees.
import { cancelJob, listJobs } from "../api/files.ts";
import { kindOfCode, Problem } from "../api/problem.ts";
import type { Job } from "../api/types.ts";

/** How often to ask while something runs and nobody tells (ms). */
const ASK_EVERY_MS = 700;
/** How soon to ask again for what began while a question was on its way (ms). */
const ASK_AGAIN_MS = 100;
/** How long new work is waited for to be told of, before it is asked for (ms): most has ended by then. */
const UNHEARD_MS = 250;
/** And how long nothing may be told of work that runs: what was told can be lost on its way (ms). */
const SILENT_MS = 5000;
/** Work that takes less than this shows no line: it would only flicker (ms). */
const QUICK_MS = 600;
/** Finished work stays in sight for so long, where nothing else says that it is done (ms). */
const DONE_STAYS_MS = 4000;
/** Ended work that is remembered: its end may be told before the answer that says which work it is. */
const ENDED_MAX = 50;

/** Work that was called off. */
export class JobCancelled extends Error {}

/** A piece of work, and what this page knows of it. */
interface Work {
  /** As it was last told; `undefined` before the first time. */
  job: Job | undefined;
  /** What it is called here; "" for what another tab began. */
  label: string;
  /** Whether it has a line. */
  isShown: boolean;
  /** Who waits for its end: whoever asks for work that runs already is told of that, so there may be several. */
  waiting: { resolve: (job: Job) => void; reject: (cause: Error) => void }[];
}

export class Jobs {
  /** One's own work that runs, and what has just ended, as far as it is worth a line. */
  all = $state.raw<readonly Job[]>([]);
  /** By id, in the order in which they were first heard of. */
  #works = new Map<string, Work>();
  /** Whether the server tells of every change by itself; `undefined` before anybody knows. */
  #isLive: boolean | undefined;
  #isAsking = false;
  /** Something began while a question was on its way. */
  #isOutdated = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** What a piece of work is called here; "" for what another tab began. */
  labelOf(id: string): string {
    return this.#works.get(id)?.label ?? "";
  }

  /** Waits for the end of a piece of work. Rejects when it fails or is cancelled. */
  follow(id: string, label: string): Promise<Job> {
    const work = this.#works.get(id) ?? this.#begin(id);
    work.label = label;
    const end = new Promise<Job>((resolve, reject) => work.waiting.push({ resolve, reject }));
    if (hasEnded(work)) this.#end(work);
    else if (this.#isLive) this.#plan();
    else void this.#ask();
    return end;
  }

  async cancel(id: string): Promise<void> {
    await cancelJob(id);
    if (!this.#isLive) await this.#ask();
  }

  /** From now on the server tells of every change by itself, or it does not. */
  setLive(isLive: boolean): void {
    if (isLive === this.#isLive) return;
    this.#isLive = isLive;
    // Whatever ended while nobody listened is not told; what another tab began is, where anybody is.
    if (!isLive || this.#isBusy()) void this.#ask();
  }

  /** The server told how a piece of work stands. */
  told(job: Job): void {
    this.#take(job, QUICK_MS);
    this.#plan();
  }

  /** Asks how everything stands. */
  async #ask(): Promise<void> {
    if (this.#isAsking) {
      this.#isOutdated = true;
      return;
    }
    this.#isAsking = true;
    // What begins while the answer is on its way cannot be in it.
    const asked = [...this.#works.keys()];
    try {
      const all = await listJobs();
      // What this page did not begin has run for a while already.
      for (const job of all) this.#take(job, 0);
      const there = new Set(all.map((job) => job.id));
      for (const id of asked) if (!there.has(id)) this.#lose(id);
    } catch (cause) {
      // Away for now: what waits goes on waiting. Anything else will not get better.
      const isPassing = cause instanceof Problem && (cause.kind === "away" || cause.kind === "tooSoon");
      if (!isPassing) this.#giveUp(cause instanceof Error ? cause : failureOf(undefined));
    } finally {
      this.#isAsking = false;
    }
    this.#plan();
  }

  /** Asks later, as long as anything is left to hear. */
  #plan(): void {
    clearTimeout(this.#timer);
    if (!this.#isBusy()) return;
    this.#timer = setTimeout(() => void this.#ask(), this.#patienceMs());
    this.#isOutdated = false;
  }

  #patienceMs(): number {
    if (this.#isOutdated) return ASK_AGAIN_MS;
    if (!this.#isLive) return ASK_EVERY_MS;
    return [...this.#works.values()].some((work) => !work.job) ? UNHEARD_MS : SILENT_MS;
  }

  #isBusy(): boolean {
    return [...this.#works.values()].some((work) => !hasEnded(work));
  }

  /** Work that was not heard of before. It gets its line when it is not over by then. */
  #begin(id: string, quickMs = QUICK_MS): Work {
    const work: Work = { job: undefined, label: "", isShown: quickMs === 0, waiting: [] };
    this.#works.set(id, work);
    if (quickMs > 0) {
      setTimeout(() => {
        if (hasEnded(work)) return;
        work.isShown = true;
        this.#show();
      }, quickMs);
    }
    return work;
  }

  /** Takes in how a piece of work stands. */
  #take(job: Job, quickMs: number): void {
    const known = this.#works.get(job.id);
    // Nothing runs again: an answer that was long on its way says so of what has ended meanwhile.
    if (known && hasEnded(known)) return;
    const isRunning = job.state === "running";
    const work = known ?? this.#begin(job.id, isRunning ? quickMs : QUICK_MS);
    work.job = job;
    if (isRunning) this.#show();
    else this.#end(work);
  }

  /** Tells whoever waits, and takes the line away. */
  #end(work: Work): void {
    const { job } = work;
    const waiting = work.waiting.splice(0);
    for (const { resolve, reject } of waiting) {
      if (job?.state === "done") resolve(job);
      else reject(job?.state === "cancelled" ? new JobCancelled() : failureOf(job));
    }
    if (waiting.length > 0) {
      // Who waited for it says that it is done.
      work.isShown = false;
    } else if (work.isShown) {
      setTimeout(() => {
        work.isShown = false;
        this.#show();
      }, DONE_STAYS_MS);
    }
    this.#forgetOld();
    this.#show();
  }

  /** The server does not know it any more. */
  #lose(id: string): void {
    const work = this.#works.get(id);
    if (!work) return;
    this.#works.delete(id);
    for (const { reject } of work.waiting) reject(failureOf(undefined));
    this.#show();
  }

  /** Keeps what runs and the last that have ended. */
  #forgetOld(): void {
    const ended = [...this.#works].filter(([, work]) => hasEnded(work) && !work.isShown);
    for (const [id] of ended.slice(0, Math.max(0, ended.length - ENDED_MAX))) this.#works.delete(id);
  }

  #giveUp(cause: Error): void {
    const works = [...this.#works.values()];
    // Else it would be asked for ever.
    this.#works.clear();
    for (const { waiting } of works) for (const { reject } of waiting) reject(cause);
    this.#show();
  }

  #show(): void {
    const shown = [...this.#works.values()].filter((work) => work.isShown);
    this.all = shown.flatMap(({ job }) => job ?? []);
  }
}

export const jobs = new Jobs();

/** Whether nothing more is to be told of it. */
function hasEnded(work: Work): boolean {
  return work.job !== undefined && work.job.state !== "running";
}

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
