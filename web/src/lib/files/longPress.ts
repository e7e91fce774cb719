// A finger that stays where it is. Knows no entry.

/** How long it has to stay (ms), and how far it may wander meanwhile (px). */
const LONG_MS = 480;
const WANDER_PX = 10;
/** How long after it the browser's own click and menu may still come (ms). */
const AFTER_MS = 900;

export class LongPress {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #from = { x: 0, y: 0 };
  #doneAt = -Infinity;
  #hasClick = false;

  constructor(readonly onlong: (x: number, y: number, target: EventTarget | null) => void) {}

  down(event: PointerEvent): void {
    this.up();
    this.#hasClick = false;
    if (event.pointerType === "mouse" || !event.isPrimary) return;
    this.#from = { x: event.clientX, y: event.clientY };
    const { target } = event;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#doneAt = performance.now();
      this.#hasClick = true;
      this.onlong(this.#from.x, this.#from.y, target);
    }, LONG_MS);
  }

  move(event: PointerEvent): void {
    const away = Math.hypot(event.clientX - this.#from.x, event.clientY - this.#from.y);
    if (away > WANDER_PX) this.up();
  }

  up(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Whether the click that comes now belongs to a long press and means nothing. */
  takesClick(): boolean {
    const isTaken = this.#hasClick;
    this.#hasClick = false;
    return isTaken;
  }

  /** Whether the browser's menu, asked for now, is ours to open or has been opened. */
  isWaitingOrDone(): boolean {
    return this.#timer !== undefined || performance.now() - this.#doneAt < AFTER_MS;
  }
}
