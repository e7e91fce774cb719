// The album: pictures and films as a wall of squares. Only those in sight and around are there, so that a thousand
// cost no more than twenty.
import film from "lucide:film";
import image from "lucide:image";
import play from "lucide:play";
import type { Entry } from "../lib/api/types.ts";
import { sharpSize, type ThumbSize } from "../lib/photos/thumb.ts";
import { columnsAt, sizeCount, WallLayout } from "../lib/photos/wallLayout.ts";
import { commandOf, isDirection } from "../lib/state/keys.ts";
import type { Choice } from "./choice.ts";
import { showChosen, tick, ticked } from "./choosable.ts";
import { h, icon, set } from "./dom.ts";
import { thumbAddress } from "./link.ts";
import { showThumb } from "./thumb.ts";
import { plural, t } from "./words.ts";

/** A picture or film. */
export interface Picture {
  entry: Entry;
  /** Relative to the link. */
  path: string;
  /** What is read of its name. */
  name: string;
  isFilm: boolean;
}

interface Cell {
  item: HTMLLIElement;
  link: HTMLAnchorElement;
  stop: () => void;
}

export interface WallActions {
  /** The address of one, and what a plain click does. */
  hrefOf: (picture: Picture) => string;
  choice: Choice;
}

export class Wall {
  readonly element: HTMLElement;
  #list: HTMLUListElement;
  #cells = new Map<number, Cell>();
  #layout = new WallLayout([], 1, 1);
  #sharp: ThumbSize = 320;
  #cursor = 0;
  #stops: (() => void)[] = [];
  #frame = 0;

  constructor(
    readonly pictures: readonly Picture[],
    readonly actions: WallActions,
  ) {
    this.#list = h("ul", { class: "cells", role: "list", "aria-labelledby": "album", onkeydown: (event: KeyboardEvent) => this.#key(event) });
    const title = h("h2", { id: "album" }, countOf(pictures));
    this.element = h("section", { class: "wall", "aria-labelledby": "album" }, title, this.#list);
    const onsight = () => this.#soon(() => this.#draw());
    const onresize = () => this.#soon(() => this.lay());
    window.addEventListener("scroll", onsight, { passive: true });
    window.addEventListener("resize", onresize);
    this.#stops = [
      () => window.removeEventListener("scroll", onsight),
      () => window.removeEventListener("resize", onresize),
      actions.choice.onChange(() => this.#showChoice()),
    ];
  }

  leave(): void {
    cancelAnimationFrame(this.#frame);
    for (const stop of this.#stops) stop();
    for (const { stop } of this.#cells.values()) stop();
  }

  /** Puts all in their places, for the width there is now. The element must be on the page. */
  lay(): void {
    const width = this.element.clientWidth;
    if (width === 0) return;
    // Large ones: this page is looked at, not worked in.
    const size = sizeCount(width) === 3 ? 2 : 3;
    this.#layout = new WallLayout([this.pictures.length], columnsAt(size, width), width);
    const { cell, height } = this.#layout;
    this.#sharp = sharpSize(cell * devicePixelRatio);
    this.element.style.setProperty("--cell", `${cell}px`);
    this.element.style.height = `${height}px`;
    for (const index of [...this.#cells.keys()]) this.#drop(index);
    this.#draw();
  }

  /** Gives the focus to a picture, and brings it into sight. */
  focus(index: number): void {
    this.#cursor = index;
    const top = this.#layout.rowTopOf(index) + this.element.getBoundingClientRect().top;
    const room = window.innerHeight - this.#layout.cell;
    if (top < 0 || top > room) window.scrollBy(0, top - Math.max(0, room / 2));
    this.#draw();
    this.#cells.get(index)?.link.focus({ preventScroll: true });
  }

  #soon(action: () => void): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(action);
  }

  #draw(): void {
    const rows = this.#layout.rowsInSight(-this.element.getBoundingClientRect().top, window.innerHeight);
    const wanted = new Map(rows.flatMap((row) => row.indexes.map((index, column) => [index, { row, column }] as const)));
    const focused = document.activeElement;
    for (const [index, { link }] of this.#cells) if (!wanted.has(index) && link !== focused) this.#drop(index);
    for (const [index, { row, column }] of wanted) {
      if (this.#cells.has(index)) continue;
      const cell = this.#make(index);
      cell.item.style.top = `${row.top}px`;
      cell.item.style.left = `${column * this.#layout.line}px`;
      this.#cells.set(index, cell);
      this.#list.insertBefore(cell.item, this.#after(index));
    }
    this.#showCursor();
  }

  /** What stands behind it on the page: they are read in their order. */
  #after(index: number): Node | null {
    const next = [...this.#cells.keys()].filter((other) => other > index).sort((a, b) => a - b)[0];
    return next === undefined ? null : (this.#cells.get(next)?.item ?? null);
  }

  #drop(index: number): void {
    const cell = this.#cells.get(index);
    cell?.stop();
    cell?.item.remove();
    this.#cells.delete(index);
  }

  #make(index: number): Cell {
    const picture = this.pictures[index] as Picture;
    const { choice, hrefOf } = this.actions;
    const face = h("span", { class: "face" });
    const link = h(
      "a",
      {
        class: picture.isFilm ? "cell isFilm" : "cell",
        href: hrefOf(picture),
        "aria-label": t(picture.isFilm ? "filmNamed" : "pictureNamed", { name: picture.name }),
        onclick: (event: MouseEvent) => {
          this.#cursor = index;
          this.#showCursor();
          ticked(event, picture.path, choice);
        },
        onkeydown: (event: KeyboardEvent) => ticked(event, picture.path, choice),
      },
      face,
      picture.isFilm && h("span", { class: "sign" }, icon(play, 18)),
      tick(),
    );
    showChosen(link, picture.path, choice);
    const item = h("li", { "aria-setsize": this.pictures.length, "aria-posinset": index + 1 }, link);
    const source = (size: ThumbSize) => thumbAddress(picture.path, size, picture.entry.etag);
    const missing = () => face.append(icon(picture.isFilm ? film : image, 36));
    if (picture.entry.thumb !== true) missing();
    const stop = picture.entry.thumb === true ? showThumb(face, source, this.#sharp, missing) : () => undefined;
    return { item, link, stop };
  }

  #showChoice(): void {
    for (const [index, { link }] of this.#cells) showChosen(link, this.pictures[index]?.path ?? "", this.actions.choice);
  }

  /** One of them takes Tab; the arrows lead on from there. */
  #showCursor(): void {
    const stop = this.#cells.has(this.#cursor) ? this.#cursor : Math.min(...this.#cells.keys());
    for (const [index, { link }] of this.#cells) set(link, "tabindex", index === stop ? 0 : -1);
  }

  #key(event: KeyboardEvent): void {
    const command = commandOf(event, false);
    if (command === undefined || !isDirection(command)) return;
    event.preventDefault();
    const at = [...this.#cells].find(([, { link }]) => link === document.activeElement)?.[0] ?? this.#cursor;
    const page = Math.max(1, Math.floor(window.innerHeight / this.#layout.line) - 1);
    this.focus(this.#layout.step(at, command, page));
  }
}

/** How many pictures and films there are. */
function countOf(pictures: readonly Picture[]): string {
  const films = pictures.filter(({ isFilm }) => isFilm).length;
  const others = pictures.length - films;
  return [others > 0 && plural("pictures", others), films > 0 && plural("films", films)].filter(Boolean).join(" · ");
}
