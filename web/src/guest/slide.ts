// One picture or film on the stage: the small picture at once, then one in the size of a screen, and the file itself
// when it is looked at closely or is all there is.
import download from "lucide:download";
import off from "lucide:image-off";
import { lookAt } from "../lib/api/http.ts";
import { knownMiss } from "../lib/photos/fetching.ts";
import { fitted, type Size } from "../lib/preview/gesture.ts";
import type { Zoom } from "../lib/state/zoom.ts";
import { h, icon, put } from "./dom.ts";
import { downloadAddress, thumbAddress } from "./link.ts";
import { whyNot } from "./over.ts";
import type { Picture } from "./wall.ts";
import { t } from "./words.ts";

/** The longer side of what is fetched first, and ahead (px). */
const SCREEN = 1280;
const SMALL = 160;
/** How often a picture is asked for that larder had no time for, and how long it rests between (ms). */
const TRIES = 4;
const TRY_AGAIN_MS = 2000;
/** Files larger than this are not fetched only because somebody looks closely (bytes). */
const CLOSE_BYTES_MAX = 30_000_000;

export class Slide {
  readonly element = h("div", { class: "slide" });
  #frame = h("div", { class: "frame" });
  #natural: (Size & { isWhole: boolean }) | undefined;
  #box: Size = { width: 0, height: 0 };
  #isScreenAsked = false;
  #isOriginalAsked = false;
  #isSharp = false;
  #tries = 0;
  #leaving = new AbortController();

  /**
   * `onready`: as sharp as it gets at first, or known to be nothing. `onfit`: its size on the stage has changed. `save`
   * keeps what is at an address.
   */
  constructor(
    readonly picture: Picture,
    readonly save: (address: string) => void,
    readonly onready: () => void,
    readonly onfit: () => void,
  ) {
    this.element.append(this.#frame);
    if (this.#hasThumb) this.#layer(this.#thumb(SMALL), SMALL, () => undefined);
  }

  /** A film may turn out to have no frame to show. */
  get #hasThumb(): boolean {
    return this.picture.entry.thumb === true && !knownMiss(this.#thumb(SMALL));
  }

  #thumb(size: typeof SMALL | typeof SCREEN): string {
    return thumbAddress(this.picture.path, size, this.picture.entry.etag);
  }

  /** How large it is shown where it fits. */
  get fit(): Size {
    if (!this.#natural) return { width: 0, height: 0 };
    return fitted(this.#natural, this.#box, this.#natural.isWhole);
  }

  /** It is there as sharp as it gets at first. */
  get isReady(): boolean {
    return this.#isSharp;
  }

  leave(): void {
    this.#leaving.abort();
    // What is on its way is broken off.
    for (const image of this.#frame.querySelectorAll("img")) image.removeAttribute("src");
    const player = this.#frame.querySelector("video");
    player?.pause();
    player?.removeAttribute("src");
    player?.load();
    this.element.remove();
  }

  /** The stage has this size. */
  size(box: Size): void {
    this.#box = box;
    const { width, height } = this.fit;
    this.#frame.style.width = this.picture.isFilm ? "" : `${width}px`;
    this.#frame.style.height = this.picture.isFilm ? "" : `${height}px`;
    this.onfit();
  }

  zoom({ x, y, scale }: Zoom, isMoving: boolean): void {
    this.#frame.classList.toggle("isMoving", isMoving);
    this.#frame.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  }

  /** It is on show, or will be next. */
  want(isCurrent: boolean): void {
    this.element.setAttribute("aria-hidden", String(!isCurrent));
    if (this.picture.isFilm) return isCurrent ? this.#play() : this.#stop();
    if (this.#isScreenAsked) return;
    this.#isScreenAsked = true;
    if (this.#hasThumb) this.#askScreen();
    else if (isCurrent) this.#askOriginal();
    else this.#isScreenAsked = false;
  }

  /** Somebody looks closely. */
  wantAll(): void {
    if (this.picture.entry.size <= CLOSE_BYTES_MAX) this.#askOriginal();
  }

  #askScreen(): void {
    const address = this.#thumb(SCREEN);
    // Another address, so that the browser asks again.
    const image = this.#layer(this.#tries === 0 ? address : `${address}#${this.#tries}`, SCREEN, () => {
      image.remove();
      void this.#handle(address);
    });
  }

  /** Larder may only have been busy; else there is none, and the file itself must do. */
  async #handle(address: string): Promise<void> {
    const status = await lookAt(address, this.#leaving.signal).then((answer) => answer.status, () => 0);
    if (this.#leaving.signal.aborted) return;
    if (![429, 503].includes(status) || this.#tries++ >= TRIES) return this.#askOriginal();
    setTimeout(() => !this.#leaving.signal.aborted && this.#askScreen(), TRY_AGAIN_MS);
  }

  #askOriginal(): void {
    if (this.#isOriginalAsked || this.picture.isFilm) return;
    this.#isOriginalAsked = true;
    const address = downloadAddress([this.picture.path], true);
    const image = this.#layer(address, Infinity, () => {
      image.remove();
      void this.#doubt(address, t("notShown"));
    });
  }

  /** Another size of the picture, over those that are there. */
  #layer(source: string, most: number, onfail: () => void): HTMLImageElement {
    const image = h("img", { alt: "", draggable: "false", onload: () => this.#loaded(image, most), onerror: onfail });
    image.decoding = "async";
    image.src = source;
    this.#frame.append(image);
    return image;
  }

  #loaded(image: HTMLImageElement, most: number): void {
    const { naturalWidth: width, naturalHeight: height } = image;
    image.classList.add("isThere");
    if (width > 0 && height > 0) {
      // Small pictures are never enlarged by larder: one that is smaller than it might be is as large as its file.
      const isWhole = Math.max(width, height) < most && this.picture.entry.mime !== "image/svg+xml";
      if (!this.#natural || most === Infinity || !this.#isSharp) this.#natural = { width, height, isWhole };
    }
    if (most !== SMALL) {
      this.#isSharp = true;
      this.onready();
    }
    this.size(this.#box);
  }

  // ---- films

  #play(): void {
    if (this.#frame.querySelector("video")) return;
    this.#frame.classList.add("isFilm");
    const address = downloadAddress([this.picture.path], true);
    const player = h("video", {
      controls: true,
      playsinline: true,
      preload: "metadata",
      poster: this.#hasThumb && this.#thumb(SCREEN),
      "aria-label": t("filmNamed", { name: this.picture.name }),
      onerror: () => void this.#doubt(address, t("notPlayed")),
    });
    player.src = address;
    put(this.#frame, player);
    this.onready();
  }

  #stop(): void {
    this.#frame.querySelector("video")?.pause();
  }

  /** The browser showed nothing of what is at an address: its own fault, or larder refused it. */
  async #doubt(address: string, otherwise: string): Promise<void> {
    if (this.#leaving.signal.aborted) return;
    const why = await whyNot(address, otherwise);
    // One that is there in another size stays.
    const isOnShow = this.#natural !== undefined && !this.picture.isFilm;
    if (why !== undefined && !isOnShow && !this.#leaving.signal.aborted) this.#giveUp(why);
  }

  #giveUp(why: string): void {
    this.#frame.classList.remove("isFilm");
    this.#frame.style.width = this.#frame.style.height = "";
    const address = downloadAddress([this.picture.path]);
    const name = h("p", { class: "name" }, this.picture.name);
    const button = h("button", { type: "button", class: "button", onclick: () => this.save(address) }, icon(download), t("download"));
    put(this.#frame, h("div", { class: "nothing" }, icon(off, 48), h("p", {}, why), name, button));
    this.onready();
  }
}
