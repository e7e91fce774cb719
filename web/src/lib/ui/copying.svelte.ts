// Copies a text, and knows for a moment that it did.
import { copyText } from "./copy.ts";

/** How long the tick stays (ms). */
const TICK_MS = 2000;

export class Copying {
  isDone = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  async copy(text: string): Promise<void> {
    if (!(await copyText(text))) return;
    this.isDone = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.isDone = false), TICK_MS);
  }
}
