// Looks at pictures one by one, over the page: they follow the finger, are pulled down to close, and zoomed.
import download from "lucide:download";
import left from "lucide:chevron-left";
import right from "lucide:chevron-right";
import close from "lucide:x";
import { type Finger, Hand } from "../lib/preview/hand.ts";
import { FITTING } from "../lib/state/zoom.ts";
import { h, icon, set } from "./dom.ts";
import { downloadAddress } from "./link.ts";
import { Slide } from "./slide.ts";
import type { Picture } from "./wall.ts";
import { t } from "./words.ts";

/** The bars fade when nothing was touched for so long (ms). */
const QUIET_AFTER_MS = 2500;

export interface ViewerActions {
  save: (address: string) => void;
  /** Another one is looked at. */
  onat: (at: number) => void;
  onclose: () => void;
}

export class Viewer {
  readonly element: HTMLElement;
  #stage = h("div", { class: "stage" });
  #count = h("p", { class: "count", role: "status" });
  #previous = h("button", { type: "button", class: "turn isPrevious", "aria-label": t("previous"), onclick: () => this.#hand.turn(-1) }, icon(left, 32));
  #next = h("button", { type: "button", class: "turn isNext", "aria-label": t("next"), onclick: () => this.#hand.turn(1) }, icon(right, 32));
  #slides = new Map<number, Slide>();
  #isReady = false;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #hand: Hand;
  #stops: (() => void)[];

  constructor(
    readonly pictures: readonly Picture[],
    public at: number,
    readonly actions: ViewerActions,
  ) {
    const button = (words: string, node: typeof close, action: () => void) =>
      h("button", { type: "button", class: "tool", "aria-label": words, onclick: action }, icon(node, 28));
    this.element = h(
      "div",
      { class: "viewer alwaysDark", role: "dialog", "aria-modal": "true", tabindex: -1, onkeydown: (event: KeyboardEvent) => this.#key(event), onmousemove: () => this.#wake() },
      h("div", { class: "bar" }, button(t("close"), close, () => actions.onclose()), this.#count, button(t("download"), download, () => this.#save())),
      this.#stage,
      this.#previous,
      this.#next,
    );
    this.#hand = new Hand({
      element: () => this.#stage,
      box: () => this.#box(),
      fit: () => this.#slides.get(this.at)?.fit ?? this.#box(),
      has: (step) => this.pictures[this.at + step] !== undefined,
      isFilm: () => this.#now.isFilm,
      onmove: () => this.#place(),
      onturn: (step) => this.#turned(this.at + step),
      onclose: () => actions.onclose(),
      canClose: () => true,
      ontap: () => this.#tapped(),
      ontouch: () => undefined,
      onhold: () => undefined,
    });
    const resize = () => this.#resized();
    window.addEventListener("resize", resize);
    this.#stops = [() => window.removeEventListener("resize", resize), this.#listen()];
  }

  get #now(): Picture {
    return this.pictures[this.at] as Picture;
  }

  #box = () => ({ width: this.#stage.clientWidth, height: this.#stage.clientHeight });

  /** The element is on the page now. */
  begin(): void {
    this.#show();
    this.element.focus();
    this.#wake();
  }

  leave(): void {
    clearTimeout(this.#quiet);
    this.#hand.leave();
    for (const stop of this.#stops) stop();
    for (const slide of this.#slides.values()) slide.leave();
    this.element.remove();
  }

  /** The address says another one: by Back or Forward. */
  goTo(at: number): void {
    if (at !== this.at) this.#turnTo(at);
  }

  #turned(at: number): void {
    this.#turnTo(at);
    this.actions.onat(at);
  }

  #turnTo(at: number): void {
    this.at = at;
    this.#isReady = false;
    this.#show();
    this.#hand.rest();
  }

  #show(): void {
    const wanted = [this.at - 1, this.at, this.at + 1].filter((at) => this.pictures[at] !== undefined);
    for (const [at, slide] of this.#slides) {
      if (wanted.includes(at)) continue;
      slide.leave();
      this.#slides.delete(at);
    }
    for (const at of wanted) if (!this.#slides.has(at)) this.#add(at);
    const { name } = this.#now;
    this.#count.textContent = t("position", { at: this.at + 1, of: this.pictures.length, name });
    set(this.element, "aria-label", name);
    this.#previous.hidden = this.at === 0;
    this.#next.hidden = this.at === this.pictures.length - 1;
    const current = this.#slides.get(this.at);
    current?.want(true);
    this.#place();
    if (current?.isReady) this.#ahead();
  }

  #add(at: number): void {
    const slide = new Slide(this.pictures[at] as Picture, this.actions.save, () => at === this.at && this.#ahead(), () => undefined);
    this.#slides.set(at, slide);
    this.#stage.append(slide.element);
    slide.size(this.#box());
  }

  /** The one on show is there: now its neighbours. */
  #ahead(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    for (const [at, slide] of this.#slides) if (at !== this.at) slide.want(false);
  }

  #place(): void {
    const { offset, drop, zoom, isMoving, isZoomed, turnWidth } = this.#hand;
    for (const [at, { element }] of this.#slides) {
      const scale = at === this.at ? 1 - Math.min(0.3, drop / 1600) : 1;
      element.style.transform = `translate(${(at - this.at) * turnWidth + offset}px, ${at === this.at ? drop : 0}px) scale(${scale})`;
    }
    for (const [at, slide] of this.#slides) slide.zoom(at === this.at ? zoom : FITTING, isMoving || at !== this.at);
    this.#stage.classList.toggle("isZoomed", isZoomed);
    this.element.style.setProperty("--pulled", String(1 - Math.min(0.7, drop / 400)));
    if (isZoomed) this.#slides.get(this.at)?.wantAll();
  }

  #resized(): void {
    for (const slide of this.#slides.values()) slide.size(this.#box());
    this.#hand.resized();
  }

  #save(): void {
    this.actions.save(downloadAddress([this.#now.path]));
  }

  // ---- hands and keys

  #wake(): void {
    this.element.classList.remove("isQuiet");
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.element.classList.add("isQuiet"), QUIET_AFTER_MS);
  }

  #tapped(): void {
    if (this.element.classList.contains("isQuiet")) this.#wake();
    else this.element.classList.add("isQuiet");
  }

  #key(event: KeyboardEvent): void {
    this.#wake();
    const isPlayers = event.target instanceof HTMLVideoElement;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") this.actions.onclose();
    else if (event.key === "Tab") return this.#keepFocus(event);
    else if (event.key === "ArrowLeft" && !isPlayers) this.#hand.turn(-1);
    else if (event.key === "ArrowRight" && !isPlayers) this.#hand.turn(1);
    else if (event.key === "+") this.#hand.zoomIn();
    else if (event.key === "-") this.#hand.zoomOut();
    else if (event.key === "0") this.#hand.fitAgain();
    else return;
    event.preventDefault();
  }

  /** What lies below is not reached meanwhile. */
  #keepFocus(event: KeyboardEvent): void {
    // A phone's turning is done by fingers: its buttons are there without being shown.
    const stops = [...this.element.querySelectorAll<HTMLElement>("button, a[href], video")].filter((one) => one.offsetWidth > 0 && !one.closest("[aria-hidden=true]"));
    const [first, last] = [stops[0], stops[stops.length - 1]];
    const now = document.activeElement;
    const isAtEnd = event.shiftKey ? now === first || now === this.element : now === last;
    if (!isAtEnd) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  }

  #listen(): () => void {
    const stage = this.#stage;
    const hand = this.#hand;
    const still = (event: TouchEvent) => event.cancelable && event.preventDefault();
    // Else the browser sees a fling in a quick swipe, and spends the next tap, wherever, on ending it.
    stage.addEventListener("touchmove", still, { passive: false });
    stage.addEventListener("wheel", (event) => hand.wheel(event), { passive: false });
    if ("PointerEvent" in window) {
      stage.addEventListener("pointerdown", (event) => hand.down(event));
      stage.addEventListener("pointermove", (event) => hand.move(event));
      stage.addEventListener("pointerup", (event) => hand.up(event));
      stage.addEventListener("pointercancel", (event) => hand.up(event));
    } else {
      listenToTouches(stage, hand);
    }
    return () => stage.remove();
  }
}

/** Browsers before 2019 (Safari 12) know fingers only as touches. */
function listenToTouches(stage: HTMLElement, hand: Hand): void {
  const each = (event: TouchEvent, type: string, action: (finger: Finger) => void) => {
    for (const { identifier, clientX, clientY, target } of Array.from(event.changedTouches)) {
      action({ button: 0, clientX, clientY, pointerId: identifier, pointerType: "touch", target, timeStamp: event.timeStamp, type });
    }
  };
  stage.addEventListener("touchstart", (event) => each(event, "pointerdown", (finger) => hand.down(finger)));
  stage.addEventListener("touchmove", (event) => each(event, "pointermove", (finger) => hand.move(finger)));
  stage.addEventListener("touchend", (event) => each(event, "pointerup", (finger) => hand.up(finger)));
  stage.addEventListener("touchcancel", (event) => each(event, "pointercancel", (finger) => hand.up(finger)));
}
