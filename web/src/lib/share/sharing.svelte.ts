// What is to be shared, asked for from anywhere on the page: one sheet answers.
import type { Link } from "../api/links.ts";
import type { Entry } from "../api/types.ts";
import { kindOf } from "../state/kind.ts";
import { nameOf } from "../state/paths.ts";
import { session } from "../state/session.svelte.ts";

/** A file or folder that may be shared. */
export interface Thing {
  path: string;
  type: "file" | "folder";
  /** It is a picture or a film. */
  isPicture: boolean;
}

/** What the sheet is asked for. `besides`: what is copied along, and is none of what was chosen. */
export type Asked =
  | { what: "new"; things: readonly Thing[]; besides: readonly string[] }
  | { what: "edit" | "hand"; link: Link };

/** Things that are copied for one link at most: as many as larder takes in one question. */
const THINGS_MAX = 10_000;

class Sharing {
  asked = $state.raw<Asked>();
  /** What to do after a link was made, changed or ended. */
  onchanged: () => void = () => undefined;

  share(things: readonly Thing[], besides: readonly string[] = []): void {
    this.asked = { what: "new", things, besides };
  }

  /** Has a link changed. */
  edit(link: Link): void {
    this.asked = { what: "edit", link };
  }

  /** Shows a link's address, code and message. */
  hand(link: Link): void {
    this.asked = { what: "hand", link };
  }

  close(): void {
    this.asked = undefined;
  }
}

export const sharing = new Sharing();

/** An entry as what may be shared; its path, where it is told by something else than its name. */
export function thingOf(entry: Pick<Entry, "type" | "mime" | "name">, path: string): Thing {
  const kind = kindOf(entry.mime, nameOf(entry.name));
  const isPicture = entry.type === "file" && (kind === "image" || kind === "video");
  return { path, type: entry.type === "folder" ? "folder" : "file", isPicture };
}

/** Whether the reader may share these, by role and by path; several are copied, which needs a place for it. */
export function mayShare<T extends Pick<Entry, "type">>(entries: readonly T[], pathOf: (entry: T) => string): boolean {
  const [entry] = entries;
  if (entry === undefined || !session.may("/api/link/create")) return false;
  if (entries.length > 1) return mayCopy(entries, pathOf);
  const path = pathOf(entry);
  if (entry.type === "folder") return session.mayReadAt(path) || session.mayWriteAt(path);
  return entry.type === "file" && session.mayReadAt(path);
}

function mayCopy<T extends Pick<Entry, "type">>(entries: readonly T[], pathOf: (entry: T) => string): boolean {
  if (entries.length > THINGS_MAX || !session.mayWriteSomewhere()) return false;
  if (!session.may("/api/copy") || !session.may("/api/create_folder")) return false;
  return entries.every((entry) => entry.type !== "other" && session.mayReadAt(pathOf(entry)));
}
