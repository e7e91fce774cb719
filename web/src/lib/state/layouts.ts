// How each folder is laid out: as it was chosen there, else by what is in it, else as further up.
import type { Entry } from "../api/types.ts";
import { keep, readKept } from "./keep.ts";
import { kindOf } from "./kind.ts";
import { parentOf } from "./paths.ts";

export type Layout = "list" | "grid";

const KEPT_AS = "layouts";
/** Folders that are remembered (each some 60 bytes). */
const FOLDERS_MAX = 300;
/** What a folder of pictures has: so many, and such a share of all that is in it. */
const PICTURES_MIN = 4;
const SHARE_MIN = 0.6;

export class Layouts {
  /** The one that was chosen last comes last. */
  #chosen = new Map<string, Layout>(readChosen());

  /** How a folder with these entries is laid out. */
  of(path: string, entries: readonly Entry[]): Layout {
    const own = this.#chosen.get(path);
    if (own) return own;
    return isOfPictures(entries) ? "grid" : this.#above(path);
  }

  keep(path: string, layout: Layout): void {
    this.#chosen.delete(path);
    this.#chosen.set(path, layout);
    for (const oldest of this.#chosen.keys()) {
      if (this.#chosen.size <= FOLDERS_MAX) break;
      this.#chosen.delete(oldest);
    }
    keep(KEPT_AS, JSON.stringify([...this.#chosen]));
  }

  #above(path: string): Layout {
    for (let folder = path; folder !== ""; ) {
      folder = parentOf(folder);
      const chosen = this.#chosen.get(folder);
      if (chosen) return chosen;
    }
    return "list";
  }
}

/** Whether a folder is mostly pictures and films. */
export function isOfPictures(entries: readonly Entry[]): boolean {
  const seen = entries.filter(({ type, mime, name }) => type === "file" && ["image", "video"].includes(kindOf(mime, name)));
  return seen.length >= PICTURES_MIN && seen.length >= entries.length * SHARE_MIN;
}

function readChosen(): [string, Layout][] {
  try {
    const kept: unknown = JSON.parse(readKept(KEPT_AS) ?? "[]");
    // Before folders had one each there was one for all.
    const all: [string, Layout][] = readKept("layout") === "grid" ? [["", "grid"]] : [];
    return Array.isArray(kept) ? [...all, ...kept.flatMap(readOne)] : all;
  } catch {
    return [];
  }
}

function readOne(kept: unknown): [string, Layout][] {
  if (!Array.isArray(kept)) return [];
  const [path, layout] = kept as unknown[];
  return typeof path === "string" && (layout === "list" || layout === "grid") ? [[path, layout]] : [];
}
