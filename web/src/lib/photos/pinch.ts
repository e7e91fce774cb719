// Two fingers, or the wheel with Ctrl, that make what is shown larger or smaller by steps. Knows no photo.

/** How much farther apart two fingers are for the next step. */
const SPREAD = 1.3;
/** How far a wheel turns for the next step (px), and after how long it begins anew (ms). */
const TURN_PX = 60;
const REST_MS = 240;

export class Pinch {
  #apart = 0;
  #turned = 0;
  #turnedAt = -Infinity;

  /** `onstep`: 1 larger, -1 smaller, around a height of what is watched. */
  constructor(readonly onstep: (by: 1 | -1, y: number) => void) {}

  /** Watches an element; returns the way to stop. */
  watch(element: HTMLElement): () => void {
    const wheel = (event: WheelEvent) => this.#wheel(event, element);
    const start = (event: TouchEvent) => (this.#apart = apartOf(event));
    const move = (event: TouchEvent) => this.#move(event, element);
    // Both have to be able to keep the browser from growing the page.
    element.addEventListener("wheel", wheel, { passive: false });
    element.addEventListener("touchstart", start, { passive: true });
    element.addEventListener("touchmove", move, { passive: false });
    return () => {
      element.removeEventListener("wheel", wheel);
      element.removeEventListener("touchstart", start);
      element.removeEventListener("touchmove", move);
    };
  }

  #wheel(event: WheelEvent, element: HTMLElement): void {
    if (!event.ctrlKey) return;
    event.preventDefault();
    if (event.timeStamp - this.#turnedAt > REST_MS) this.#turned = 0;
    this.#turnedAt = event.timeStamp;
    // A mouse's wheel makes one step for a notch; a trackpad tells many small turns.
    this.#turned += Math.sign(event.deltaY) * Math.min(TURN_PX, Math.abs(event.deltaY) * (event.deltaMode === 0 ? 3 : TURN_PX));
    if (Math.abs(this.#turned) < TURN_PX) return;
    const by = this.#turned < 0 ? 1 : -1;
    this.#turned = 0;
    this.onstep(by, event.clientY - element.getBoundingClientRect().top);
  }

  #move(event: TouchEvent, element: HTMLElement): void {
    const apart = apartOf(event);
    if (apart === 0) return;
    event.preventDefault();
    if (this.#apart === 0) this.#apart = apart;
    const spread = apart / this.#apart;
    if (spread < SPREAD && spread > 1 / SPREAD) return;
    this.#apart = apart;
    const middle = ((event.touches[0]?.clientY ?? 0) + (event.touches[1]?.clientY ?? 0)) / 2;
    this.onstep(spread > 1 ? 1 : -1, middle - element.getBoundingClientRect().top);
  }
}

/** How far apart two fingers are; 0 where there are not two. */
function apartOf({ touches }: TouchEvent): number {
  const [one, other] = touches;
  if (!one || !other || touches.length !== 2) return 0;
  return Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
}
