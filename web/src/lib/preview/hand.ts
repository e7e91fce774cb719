// What moves the pictures of a stage: fingers, the mouse, the wheel and the pages that turn. It knows where the
// picture stands, and neither how it is drawn nor what is on it.
import { FITTING, shift, type Zoom, zoomAt } from "../state/zoom.ts";
import { axisOf, DOUBLE_TAP_MS, follow, isClosing, isDouble, type Mark, type Size, speedOf, turnOf } from "./gesture.ts";

/** What one press of a key or button zooms, and a double tap. */
const STEP = 1.5;
const DOUBLE_TAP_ZOOM = 2.5;
/** Between two pictures (px). */
export const GAP = 24;
/** How long a picture takes to its place (ms). */
const GLIDE_MS = 200;
/** A finger that rests so long holds (ms). */
const HOLD_MS = 350;
/** The way of a wheel to the side that turns the page, and how long it rests then (px, ms). */
const WHEEL_PX = 60;
const WHEEL_REST_MS = 350;
/** A film's own controls (px from its lower edge): fingers there are theirs. */
const CONTROLS_PX = 88;

/** What is used of a pointer's event; browsers without those make it of a touch. */
export type Finger = Pick<
  PointerEvent,
  "button" | "clientX" | "clientY" | "pointerId" | "pointerType" | "target" | "timeStamp" | "type"
>;

/** The stage that a hand moves the pictures of. */
export interface Stage {
  element: () => HTMLElement;
  /** Its size, and that of the picture as it fits. */
  box: () => Size;
  fit: () => Size;
  /** Whether there is a neighbour on that side. */
  has: (step: -1 | 1) => boolean;
  /** A film is on show: nothing to zoom. */
  isFilm: () => boolean;
  /** Something of `zoom`, `offset`, `drop` or `isMoving` is different now. */
  onmove: () => void;
  /** The neighbour takes the stage. */
  onturn: (step: -1 | 1) => void;
  /** Pulled down. */
  onclose: () => void;
  /** Whether that closes anything. */
  canClose: () => boolean;
  ontap: (finger: Finger) => void;
  ontouch: () => void;
  onhold: (isHeld: boolean) => void;
}

export class Hand {
  zoom: Zoom = FITTING;
  /** How far the pictures are from their places, to the side and down (px). */
  offset = 0;
  drop = 0;
  isMoving = false;

  #gliding = 0;
  #fingers = new Map<number, { x: number; y: number }>();
  #start: Mark | undefined;
  #marks: Mark[] = [];
  /** What the way of one finger has become. */
  #axis: "x" | "y" | "none" | undefined;
  #startOffset = 0;
  #apart = 0;
  #lastTap: Mark | undefined;
  #tapTimer: ReturnType<typeof setTimeout> | undefined;
  #holdTimer: ReturnType<typeof setTimeout> | undefined;
  #isHeld = false;
  #wheelX = 0;
  #wheelRests = 0;

  constructor(readonly stage: Stage) {}

  get isZoomed(): boolean {
    return this.zoom.scale > 1;
  }

  /** From one picture to the next (px). */
  get turnWidth(): number {
    return this.stage.box().width + GAP;
  }

  /** Another picture has the stage: it begins as it fits. */
  rest(): void {
    this.zoom = FITTING;
    this.drop = 0;
    this.stage.onmove();
  }

  /** The stage is of another size. */
  resized(): void {
    this.#shift(0, 0);
    this.stage.onmove();
  }

  /** Lets go of everything. */
  leave(): void {
    cancelAnimationFrame(this.#gliding);
    clearTimeout(this.#tapTimer);
    clearTimeout(this.#holdTimer);
  }

  // ---- zooming

  zoomBy(factor: number, x?: number, y?: number): void {
    if (this.stage.isFilm()) return;
    const place = this.stage.element().getBoundingClientRect();
    const fromMiddle = (at: number | undefined, low: number, length: number) =>
      at === undefined ? 0 : at - low - length / 2;
    this.zoom = zoomAt(this.zoom, factor, fromMiddle(x, place.left, place.width), fromMiddle(y, place.top, place.height));
    this.#shift(0, 0);
    this.stage.onmove();
  }

  zoomIn(): void {
    this.zoomBy(STEP);
  }

  zoomOut(): void {
    this.zoomBy(1 / STEP);
  }

  fitAgain(): void {
    this.zoom = FITTING;
    this.stage.onmove();
  }

  #shift(dx: number, dy: number): void {
    this.zoom = shift(this.zoom, dx, dy, this.stage.fit(), this.stage.box());
  }

  // ---- turning pages

  /** Turns to a neighbour, from where the finger has brought it. */
  turn(step: -1 | 0 | 1, from = 0): void {
    if (step === 0 || !this.stage.has(step)) return this.#glide(from);
    const width = this.turnWidth;
    this.stage.onturn(step);
    // The picture at its new place stands where it stood at the old one.
    this.#glide(from + step * width);
  }

  /** Lets everything go to its place. */
  #glide(from: number): void {
    cancelAnimationFrame(this.#gliding);
    if (from === 0 || matchMedia("(prefers-reduced-motion: reduce)").matches) return this.#offsetBy(0);
    const start = performance.now();
    this.#offsetBy(from);
    const step = (now: number) => {
      const part = Math.min(1, Math.max(0, (now - start) / GLIDE_MS));
      this.#offsetBy(part < 1 ? from * (1 - part) ** 3 : 0);
      if (part < 1) this.#gliding = requestAnimationFrame(step);
    };
    this.#gliding = requestAnimationFrame(step);
  }

  #offsetBy(offset: number): void {
    this.offset = offset;
    this.stage.onmove();
  }

  // ---- fingers

  down(finger: Finger): void {
    if (finger.button !== 0 || isOwn(finger)) return;
    this.stage.ontouch();
    this.#fingers.set(finger.pointerId, { x: finger.clientX, y: finger.clientY });
    cancelAnimationFrame(this.#gliding);
    if (this.#fingers.size === 1) {
      this.#start = markOf(finger);
      this.#marks = [this.#start];
      this.#axis = undefined;
      this.#startOffset = this.offset;
      clearTimeout(this.#holdTimer);
      this.#holdTimer = setTimeout(() => this.#hold(), HOLD_MS);
    } else {
      this.#release();
      this.#axis = "none";
      this.offset = 0;
      this.drop = 0;
      this.#apart = this.#distance();
    }
    this.isMoving = true;
    this.stage.onmove();
  }

  #hold(): void {
    this.#isHeld = true;
    this.stage.onhold(true);
  }

  #release(): void {
    clearTimeout(this.#holdTimer);
    if (this.#isHeld) this.stage.onhold(false);
    this.#isHeld = false;
  }

  move(finger: Finger): void {
    const before = this.#fingers.get(finger.pointerId);
    if (!before || !this.#start) return;
    const now = { x: finger.clientX, y: finger.clientY };
    this.#fingers.set(finger.pointerId, now);
    const [stepX, stepY] = [now.x - before.x, now.y - before.y];
    if (this.#fingers.size === 2) return this.#pinch(stepX, stepY);
    const [dx, dy] = [now.x - this.#start.x, now.y - this.#start.y];
    if (this.#axis === undefined && !this.#choose(finger, dx, dy)) return;
    this.#marks = [...this.#marks.slice(-8), markOf(finger)];
    if (this.isZoomed) this.#shift(stepX, stepY);
    else if (this.#axis === "x") this.offset = follow(this.#startOffset + dx, this.stage.has(-1), this.stage.has(1));
    else if (this.#axis === "y") this.drop = Math.max(0, dy);
    this.stage.onmove();
  }

  /** What the way of the finger becomes, once that can be told. */
  #choose(finger: Finger, dx: number, dy: number): boolean {
    this.#axis = axisOf(dx, dy);
    if (this.#axis === undefined) return false;
    this.#release();
    // From now on it is ours wherever it goes; a touch is anyway.
    this.stage.element().setPointerCapture?.(finger.pointerId);
    if (this.isZoomed) return true;
    const isBlocked = this.#axis === "y" && (dy < 0 || !this.stage.canClose());
    if (finger.pointerType === "mouse" || isBlocked) this.#axis = "none";
    return true;
  }

  #pinch(dx: number, dy: number): void {
    const [a, b] = [...this.#fingers.values()];
    const wide = this.#distance();
    if (a && b && this.#apart > 0) this.zoomBy(wide / this.#apart, (a.x + b.x) / 2, (a.y + b.y) / 2);
    if (this.isZoomed) this.#shift(dx / 2, dy / 2);
    this.#apart = wide;
    this.stage.onmove();
  }

  up(finger: Finger): void {
    if (!this.#fingers.delete(finger.pointerId)) return;
    this.isMoving = this.#fingers.size > 0;
    this.stage.onmove();
    if (this.isMoving) return;
    const wasHeld = this.#isHeld;
    this.#release();
    const isGone = finger.type === "pointercancel";
    if (this.#axis === undefined && !isGone) {
      if (!wasHeld) this.#tap(finger);
      if (this.offset !== 0) this.#glide(this.offset);
      return;
    }
    const speed = speedOf(this.#marks, finger.timeStamp);
    if (!isGone && !this.isZoomed && this.#axis === "y" && isClosing(this.drop, speed.y)) return this.stage.onclose();
    if (this.drop !== 0) {
      this.drop = 0;
      this.stage.onmove();
    }
    if (this.#axis !== "x" || this.isZoomed) return;
    this.turn(isGone ? 0 : turnOf(this.offset, speed.x, this.stage.box().width), this.offset);
  }

  #tap(finger: Finger): void {
    const now = markOf(finger);
    clearTimeout(this.#tapTimer);
    if (isDouble(this.#lastTap, now)) {
      this.#lastTap = undefined;
      if (this.isZoomed) this.fitAgain();
      else this.zoomBy(DOUBLE_TAP_ZOOM, now.x, now.y);
      return;
    }
    this.#lastTap = now;
    this.#tapTimer = setTimeout(() => this.stage.ontap(finger), this.stage.isFilm() ? 0 : DOUBLE_TAP_MS);
  }

  #distance(): number {
    const [a, b] = [...this.#fingers.values()];
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  }

  // ---- wheel

  wheel(event: WheelEvent): void {
    event.preventDefault();
    this.stage.ontouch();
    const isSideways = !event.ctrlKey && Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!isSideways) return this.zoomBy(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 300)), event.clientX, event.clientY);
    if (this.isZoomed) {
      this.#shift(-event.deltaX, 0);
      return this.stage.onmove();
    }
    if (event.timeStamp < this.#wheelRests) return;
    this.#wheelX += event.deltaX;
    if (Math.abs(this.#wheelX) < WHEEL_PX) return;
    this.turn(this.#wheelX > 0 ? 1 : -1);
    this.#wheelX = 0;
    this.#wheelRests = event.timeStamp + WHEEL_REST_MS;
  }
}

const markOf = (finger: Finger): Mark => ({ x: finger.clientX, y: finger.clientY, t: finger.timeStamp });

/** Whether what was touched takes fingers for itself. */
function isOwn({ target, clientY }: Finger): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("button, a, input, [role=menu], .notice")) return true;
  const player = target.closest("video");
  return player !== null && clientY > player.getBoundingClientRect().bottom - CONTROLS_PX;
}
