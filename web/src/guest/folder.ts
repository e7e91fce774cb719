// What is in the folder on show: folders, the album, other files; and the viewer over it.
import { readable } from "../lib/state/rawNames.ts";
import { joinPath, nameOf } from "../lib/state/paths.ts";
import { type Sorting, SORTING_AT_FIRST, sortEntries } from "../lib/state/sort.ts";
import type { Entry } from "../lib/api/types.ts";
import type { Choice } from "./choice.ts";
import { h } from "./dom.ts";
import { kindOfEntry, listOf } from "./list.ts";
import { writePlace } from "./place.ts";
import { loadViewer } from "./parts.ts";
import type { Viewer } from "./viewer.ts";
import { type Picture, Wall } from "./wall.ts";
import { locale, t } from "./words.ts";

const BY_TIME: Sorting = { key: "modified", isDescending: false };

export interface FolderActions {
  choice: Choice;
  save: (address: string) => void;
  /** Goes to what is looked at; "" is the folder itself. `isStep`: from one to the next, which Back does not go through. */
  look: (name: string, isStep: boolean) => void;
}

export class Folder {
  readonly element = h("div", { class: "folder" });
  readonly pictures: readonly Picture[];
  #wall: Wall | undefined;
  #viewer: Viewer | undefined;
  /** The name of what is looked at, or will be once the viewer is there. */
  #looked = "";
  #leaves: (() => void)[] = [];

  constructor(
    readonly path: string,
    entries: readonly Entry[],
    readonly actions: FolderActions,
  ) {
    const sorted = sortEntries(entries, SORTING_AT_FIRST, locale());
    const isPicture = (entry: Entry) => ["image", "video"].includes(kindOfEntry(entry));
    const folders = sorted.filter((entry) => entry.type === "folder");
    const others = sorted.filter((entry) => entry.type !== "folder" && !isPicture(entry));
    // As they were taken, whoever's camera named them: phones and guests keep a picture's time when they bring it.
    const album = sortEntries(sorted.filter((entry) => entry.type !== "folder" && isPicture(entry)), BY_TIME, locale());
    this.pictures = album.map((entry) => this.#pictureOf(entry));
    if (folders.length > 0) this.#list("folders", t("folders"), folders);
    if (this.pictures.length > 0) {
      const hrefOf = ({ entry }: Picture) => writePlace({ folder: path, file: entry.name });
      this.#wall = new Wall(this.pictures, { hrefOf, choice: actions.choice });
      this.element.append(this.#wall.element);
    }
    if (others.length > 0) this.#list("files", t("files"), others);
    if (sorted.length === 0) this.element.append(h("p", { class: "empty" }, t("empty")));
  }

  /** The element is on the page now. */
  begin(): void {
    this.#wall?.lay();
  }

  /** The address of what has the focus here; "" where nothing has. */
  get focused(): string {
    const now = document.activeElement;
    return (this.element.contains(now) && now?.getAttribute("href")) || "";
  }

  /** Gives the focus to what is at an address. */
  focus(address: string): void {
    const at = this.pictures.findIndex(({ entry }) => writePlace({ folder: this.path, file: entry.name }) === address);
    if (at >= 0) return this.#wall?.focus(at);
    [...this.element.querySelectorAll("a")].find((one) => one.getAttribute("href") === address)?.focus({ preventScroll: true });
  }

  leave(): void {
    this.#looked = "";
    this.#close();
    this.#wall?.leave();
    for (const leave of this.#leaves) leave();
    this.element.remove();
  }

  /** Opens the viewer at a picture, leads it there, or closes it. */
  async look(name: string): Promise<void> {
    this.#looked = name;
    const at = this.pictures.findIndex(({ entry }) => entry.name === name);
    if (at < 0) return this.#close();
    if (this.#viewer) return this.#viewer.goTo(at);
    const { Viewer } = await loadViewer();
    // Somebody has gone on meanwhile.
    if (this.#looked !== name || this.#viewer) return;
    this.#viewer = new Viewer(this.pictures, at, {
      save: this.actions.save,
      onat: (next) => this.actions.look(this.pictures[next]?.entry.name ?? "", true),
      onclose: () => this.actions.look("", false),
    });
    document.documentElement.classList.add("isLooking");
    document.getElementById("app")?.setAttribute("aria-hidden", "true");
    document.body.append(this.#viewer.element);
    this.#viewer.begin();
  }

  #close(): void {
    if (!this.#viewer) return;
    const { at } = this.#viewer;
    this.#viewer.leave();
    this.#viewer = undefined;
    document.documentElement.classList.remove("isLooking");
    document.getElementById("app")?.removeAttribute("aria-hidden");
    this.#wall?.focus(at);
  }

  #list(id: string, title: string, entries: readonly Entry[]): void {
    const { choice, save } = this.actions;
    const hrefOf = (path: string) => writePlace({ folder: path, file: "" });
    const { element, leave } = listOf(id, title, entries, (entry) => joinPath(this.path, entry.name), { hrefOf, save, choice });
    this.element.append(element);
    this.#leaves.push(leave);
  }

  #pictureOf(entry: Entry): Picture {
    const path = joinPath(this.path, entry.name);
    return { entry, path, name: readable(nameOf(path)), isFilm: kindOfEntry(entry) === "video" };
  }
}
