// Folders that were never looked through: has larder do it while somebody looks at the photos, and follows it.
import { jobs } from "../state/jobs.svelte.ts";
import { events } from "../state/events.svelte.ts";
import { kindOf } from "../state/kind.ts";
import { nameOf } from "../state/paths.ts";
import { leftBecause } from "../state/session.svelte.ts";
import type { Timeline } from "./timeline.svelte.ts";

/** How often the months are asked for while folders are looked through (ms). */
const ASK_EVERY_MS = 2500;
/** So often in a row they are asked for where a change is not noted yet: larder notes it behind all other work. */
const ATTEMPTS_IN_A_ROW = 8;
/** After that each pause is twice as long as the one before, up to so many of the first (five minutes). */
const PAUSE_MAX = 120;

export class Looking {
  /** Larder has been asked to look through folders, and has not said that it is done. */
  #isRunning = $state(false);
  /** Larder looks through folders. Once all are known it does not, whether or not its last word came through. */
  isOn = $derived.by(() => this.#isRunning && !this.timeline.isComplete);
  /** How far it is; `undefined` before anybody knows. */
  folders = $state.raw<{ done: number; all: number }>();
  #job = "";
  #isAsked = false;
  #attempts = 0;
  /** How often it could have been asked since it was. */
  #waited = 0;

  constructor(readonly timeline: Timeline) {}

  /** Begins to follow; returns the way to stop. */
  start(): () => void {
    this.timeline.oncounted = () => {
      if (this.timeline.isComplete) this.#attempts = 0;
      else if (this.#isAsked) this.#attempts += 1;
      else void this.#scan();
    };
    const deafen = events.on((name, data) => this.#hear(name, data));
    const timer = setInterval(() => {
      this.#waited += 1;
      if (!this.#isWorthAsking() || document.hidden) return;
      this.#waited = 0;
      this.timeline.refresh();
    }, ASK_EVERY_MS);
    return () => {
      clearInterval(timer);
      this.timeline.oncounted = () => undefined;
      deafen();
    };
  }

  /** More may be known by now. Of what cannot be looked through, a drive that is away, it is asked ever more rarely. */
  #isWorthAsking(): boolean {
    const pause = Math.min(2 ** Math.max(0, this.#attempts - ATTEMPTS_IN_A_ROW + 1), PAUSE_MAX);
    return this.isOn || (this.#isAsked && !this.timeline.isComplete && this.#waited >= pause);
  }

  async #scan(): Promise<void> {
    if (this.#isAsked || !this.timeline.source.scan) return;
    this.#isAsked = true;
    this.#isRunning = true;
    try {
      this.#job = await this.timeline.source.scan();
      await jobs.follow(this.#job, "");
    } catch (cause) {
      if (leftBecause(cause)) return;
      // What is noted is shown all the same.
    } finally {
      this.#isRunning = false;
      this.folders = undefined;
      void this.timeline.load();
    }
  }

  #hear(name: string, data: Record<string, unknown>): void {
    if (name === "job" && data["id"] === this.#job && this.isOn) {
      const [done, all] = [Number(data["done_items"]), Number(data["total_items"])];
      if (all > 0) this.folders = { done: Math.min(done, all), all };
    }
    if (name === "change" && mayConcern(String(data["path"] ?? ""))) {
      this.#attempts = 0;
      this.timeline.refresh();
    }
  }
}

/** Whether a change at a path may be one of photos: a picture, a film, or a folder of them. */
export function mayConcern(path: string): boolean {
  const name = nameOf(path);
  return !/\.\w+$/.test(name) || ["image", "video"].includes(kindOf("", name));
}
