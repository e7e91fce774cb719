// Which tab sends which upload: one alone does, the others wait. Else each would end the other's request,
// for ever. By the browser's own locks where they are (secure contexts), else by a mark in its storage.
import { keep, readKept } from "./keep.ts";

/** Lets go of what was claimed. */
export type Release = () => void;

/** A way to be the only one. */
export interface Claims {
  /** Claims at once; `undefined` where another has it. */
  tryNow(name: string): Promise<Release | undefined>;
  /** Claims as soon as nobody else has it. Rejects when called off. */
  wait(name: string, signal: AbortSignal): Promise<Release>;
  /** Whether anybody has it, this window or another. */
  isTaken(name: string): Promise<boolean>;
  /** Whether this window has it. */
  isOwn(name: string): boolean;
}

/** How often a mark is renewed, and others are looked at (ms). */
const BEAT_MS = 2000;
/** A mark as old as this is of a tab that ended without a word (ms): hidden ones beat once a minute. */
const DEAD_AFTER_MS = 70_000;
const KEPT_AS = "claims";

/** By the browser's locks: it lets go of them when a tab ends, however it does. */
export class LockClaims implements Claims {
  #own = new Set<string>();

  constructor(readonly locks: LockManager) {}

  tryNow(name: string): Promise<Release | undefined> {
    return this.#request(name, { ifAvailable: true });
  }

  async wait(name: string, signal: AbortSignal): Promise<Release> {
    const release = await this.#request(name, { signal });
    return release ?? (() => undefined);
  }

  async isTaken(name: string): Promise<boolean> {
    const { held = [] } = await this.locks.query();
    return held.some((lock) => lock.name === lockOf(name));
  }

  isOwn(name: string): boolean {
    return this.#own.has(name);
  }

  #request(name: string, options: LockOptions): Promise<Release | undefined> {
    return new Promise((resolve, reject) => {
      const hold = (lock: Lock | null) => {
        if (!lock) return resolve(undefined);
        this.#own.add(name);
        // Held for as long as this promise is open.
        return new Promise<void>((release) => resolve(release)).finally(() => this.#own.delete(name));
      };
      this.locks.request(lockOf(name), options, hold).catch(reject);
    });
  }
}

const lockOf = (name: string) => `larder.upload.${name}`;

/** Whose mark it is, and when it was last renewed (ms since 1970). */
type Marks = Record<string, { tab: string; at: number }>;

/** By marks in the browser's storage, renewed while they hold. */
export class MarkClaims implements Claims {
  #own = new Set<string>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(readonly tab: string = Math.random().toString(36).slice(2)) {}

  tryNow(name: string): Promise<Release | undefined> {
    return Promise.resolve(this.#take(name));
  }

  async wait(name: string, signal: AbortSignal): Promise<Release> {
    for (;;) {
      signal.throwIfAborted();
      const release = this.#take(name);
      if (release) return release;
      await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
    }
  }

  isTaken(name: string): Promise<boolean> {
    const mark = readMarks()[name];
    return Promise.resolve(this.#own.has(name) || (mark !== undefined && isAlive(mark)));
  }

  isOwn(name: string): boolean {
    return this.#own.has(name);
  }

  /** Lets go of all: the page is left. */
  releaseAll(): void {
    for (const name of this.#own) this.#release(name);
  }

  #take(name: string): Release | undefined {
    const mark = readMarks()[name];
    if (this.#own.has(name) || (mark && mark.tab !== this.tab && isAlive(mark))) return undefined;
    this.#own.add(name);
    this.#beat();
    this.#timer ??= setInterval(() => this.#beat(), BEAT_MS);
    return () => this.#release(name);
  }

  #beat(): void {
    const marks = Object.fromEntries(Object.entries(readMarks()).filter(([, mark]) => isAlive(mark)));
    for (const name of this.#own) {
      // This tab was asleep for so long that another one took it.
      if (marks[name] && marks[name].tab !== this.tab) this.#own.delete(name);
      else marks[name] = { tab: this.tab, at: Date.now() };
    }
    keep(KEPT_AS, JSON.stringify(marks));
  }

  #release(name: string): void {
    this.#own.delete(name);
    const { [name]: mark, ...others } = readMarks();
    if (mark?.tab === this.tab) keep(KEPT_AS, JSON.stringify(others));
    if (this.#own.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function isAlive({ at }: { at: number }): boolean {
  return Math.abs(Date.now() - at) < DEAD_AFTER_MS;
}

function readMarks(): Marks {
  try {
    const marks: unknown = JSON.parse(readKept(KEPT_AS) ?? "{}");
    return typeof marks === "object" && marks !== null ? (marks as Marks) : {};
  } catch {
    return {};
  }
}

/** The best way that this browser has. */
export function claimsOfBrowser(): Claims {
  // The DOM's types promise locks everywhere; plain http has none.
  const { navigator } = globalThis as { navigator?: { locks?: LockManager } };
  if (navigator?.locks) return new LockClaims(navigator.locks);
  const claims = new MarkClaims();
  if (typeof window !== "undefined") window.addEventListener("pagehide", () => claims.releaseAll());
  return claims;
}
