// How fast something goes: bytes a second over the last few seconds. Numbers only.

/** What counts as "just now" (ms): long enough to be calm, short enough to follow a change. */
const WINDOW_MS = 5000;
/** Below this nobody can say (ms). */
const KNOWN_AFTER_MS = 500;
/** Nothing came on for so long (ms): what was known of before is not so any more. */
const STALE_AFTER_MS = 4000;

export class Pace {
  #steps: { bytes: number; atMs: number }[] = [];

  add(bytes: number, atMs: number): void {
    this.#steps.push({ bytes, atMs });
    const old = this.#steps.findIndex((step) => step.atMs >= atMs - WINDOW_MS);
    if (old > 0) this.#steps.splice(0, old);
  }

  /** `undefined` while nobody can say. */
  perSecond(nowMs: number): number | undefined {
    const [first, ...rest] = this.#steps;
    const last = rest.at(-1);
    if (!first || !last || last.atMs - first.atMs < KNOWN_AFTER_MS) return undefined;
    if (nowMs - last.atMs > STALE_AFTER_MS) return undefined;
    const bytes = rest.reduce((sum, step) => sum + step.bytes, 0);
    return (bytes / (last.atMs - first.atMs)) * 1000;
  }
}
