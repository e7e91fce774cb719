// What the mouse and the finger mean on the wall: opening, selecting, and selecting a stretch by drawing over it.
import { LongPress } from "../files/longPress.ts";
import type { Choice } from "./choice.svelte.ts";
import type { WallLayout } from "./wallLayout.ts";

/** How far a mouse goes before it draws (px), how near an edge scrolls (px), and how fast (px a frame). */
const BEGINS_AFTER_PX = 6;
const EDGE_PX = 56;
const SCROLL_PX = 16;

export interface View {
  wall: () => WallLayout;
  /** What the photos lie in, and what scrolls. */
  body: () => HTMLElement | undefined;
  pane: () => HTMLElement | undefined;
  choice: Choice;
  open: (index: number) => void;
  openMenu: (x: number, y: number) => void;
  focus: () => void;
}

export class WallPointing {
  #press: LongPress;
  /** The photo from which a stretch is or may be drawn; -1 where none is. */
  #from = -1;
  #isDrawing = false;
  #at = { x: 0, y: 0 };
  #start = { x: 0, y: 0 };
  #frame = 0;
  /** The click at the end of a drawing means nothing. */
  #isClickTaken = false;

  constructor(readonly view: View) {
    this.#press = new LongPress((_x, _y, target) => {
      const index = indexOf(target);
      if (index === -1) return;
      const { choice } = view;
      choice.toggle(index);
      // The finger may go on from here.
      this.#from = index;
      this.#isDrawing = true;
      navigator.vibrate?.(10);
    });
  }

  /** Follows mouse and fingers on an element; returns the way to stop. */
  watch(pane: HTMLElement): () => void {
    const stop = new AbortController();
    const { signal } = stop;
    pane.addEventListener("pointerdown", (event) => this.#down(event), { signal });
    window.addEventListener("pointermove", (event) => this.#move(event), { signal });
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => this.#up(), { signal });
    // A finger that selects does not scroll.
    pane.addEventListener("touchmove", (event) => this.#touchMove(event), { signal, passive: false });
    pane.addEventListener(
      "touchend",
      (event) => {
        // A pointer's end may have been told as broken off when the browser began to scroll.
        if (this.#press.takesClick()) event.preventDefault();
        this.#up();
      },
      { signal },
    );
    return () => {
      stop.abort();
      this.#up();
    };
  }

  click(event: MouseEvent, isPlain: boolean): void {
    if (this.#isClickTaken) {
      this.#isClickTaken = false;
      return;
    }
    if (this.#press.takesClick()) return;
    const { choice } = this.view;
    const index = indexOf(event.target);
    const isMark = closest(event.target, "[data-mark]");
    if (index === -1) {
      if (!closest(event.target, "button")) choice.clear();
      return;
    }
    this.view.focus();
    if (event.shiftKey) void choice.stretchTo(index);
    else if (isMark || choice.count > 0 || !isPlain) choice.toggle(index);
    else {
      choice.cursor = index;
      this.view.open(index);
    }
  }

  contextMenu(event: MouseEvent): void {
    event.preventDefault();
    if (this.#press.isWaitingOrDone()) return;
    const index = indexOf(event.target);
    if (index === -1) return;
    const { choice } = this.view;
    const photo = choice.wall.photoAt(index);
    if (!photo) return;
    if (!choice.has(photo.path)) {
      choice.clear();
      choice.toggle(index);
    }
    this.view.focus();
    this.view.openMenu(event.clientX, event.clientY);
  }

  #down(event: PointerEvent): void {
    this.#press.down(event);
    this.#isClickTaken = false;
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    this.#from = indexOf(event.target);
    this.#start = { x: event.clientX, y: event.clientY };
  }

  #move(event: PointerEvent): void {
    this.#press.move(event);
    if (this.#from === -1 || event.pointerType !== "mouse") return;
    const far = Math.hypot(event.clientX - this.#start.x, event.clientY - this.#start.y);
    if (!this.#isDrawing && far < BEGINS_AFTER_PX) return;
    if (!this.#isDrawing) {
      this.#isDrawing = true;
      // What is selected already stays.
      this.view.choice.begin(this.#from);
    }
    this.#drawTo(event.clientX, event.clientY);
  }

  #touchMove(event: TouchEvent): void {
    const [finger] = event.touches;
    if (!this.#isDrawing || !finger || event.touches.length !== 1) return;
    event.preventDefault();
    this.#drawTo(finger.clientX, finger.clientY);
  }

  #drawTo(x: number, y: number): void {
    this.#at = { x, y };
    this.#stretch();
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#scroll());
  }

  #stretch(): void {
    const box = this.view.body()?.getBoundingClientRect();
    if (!box) return;
    const { choice } = this.view;
    const index = this.view.wall().indexAt(this.#at.x - box.left, this.#at.y - box.top);
    if (index !== choice.cursor || choice.count === 0) void choice.stretchTo(index);
  }

  /** Goes on scrolling while the pointer is at an edge. */
  #scroll(): void {
    this.#frame = 0;
    const pane = this.view.pane();
    if (!this.#isDrawing || !pane) return;
    const box = pane.getBoundingClientRect();
    const by = this.#at.y < box.top + EDGE_PX ? -SCROLL_PX : this.#at.y > box.bottom - EDGE_PX ? SCROLL_PX : 0;
    if (by !== 0) {
      pane.scrollTop += by;
      this.#stretch();
    }
    this.#frame = requestAnimationFrame(() => this.#scroll());
  }

  #up(): void {
    this.#press.up();
    // A click comes right after, or none does.
    if (this.#isDrawing) {
      this.#isClickTaken = true;
      setTimeout(() => (this.#isClickTaken = false));
    }
    this.#from = -1;
    this.#isDrawing = false;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }
}

function closest(target: EventTarget | null, selector: string): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>(selector) : null;
}

function indexOf(target: EventTarget | null): number {
  const cell = closest(target, "[data-photo]");
  return cell ? Number(cell.dataset["photo"]) : -1;
}
