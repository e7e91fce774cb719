// What guests did, as rows of the log tell it.
import type { Link } from "../api/links.ts";
import type { LogRow } from "../api/types.ts";
import { isWithin, nameOf, stepTowards } from "../state/paths.ts";
import type { TextKey } from "../state/texts.svelte.ts";

export interface Deed {
  id: number;
  kind: "look" | "bring" | "refused";
  key: TextKey;
  /** What it was done to. */
  name: string;
  /** How the guest calls themselves; "" where that is not known. */
  who: string;
  when: string;
  from: string;
}

type Known = Pick<Link, "id" | "path" | "label" | "guest_folders">;

/** What the log calls the guests of a link. */
export function guestsOf({ id, label }: Pick<Link, "id" | "label">): string {
  return `link ${label || id}`;
}

/** What a row of the log tells of a link's guests; nothing where it tells of another one's. */
export function deedOf(row: LogRow, link: Known, others: readonly Known[]): Deed | undefined {
  const path = row.path ?? "";
  // A link may have had another label then: what is none of another one's is this one's.
  const isOthers = row.user !== guestsOf(link) && others.some((one) => guestsOf(one) === row.user);
  if (isOthers || link.path === null || !isWithin(path, link.path)) return undefined;
  const about = { id: row.id, when: row.timestamp, from: row.ip, name: nameOf(path) };
  if (row.op === "create" || row.op === "write") {
    return { ...about, kind: "bring", key: "shared.didBring", who: nameIn(row, path) || (link.guest_folders ? folderIn(path, link.path) : "") };
  }
  if (row.op === "refused") return { ...about, kind: "refused", key: "shared.didFail", who: "" };
  return path === link.path ? { ...about, kind: "look", key: "shared.didLook", who: nameIn(row, path) } : undefined;
}

/** The deeds without what says nothing new: another look of the same guest on the same day. */
export function folded(deeds: readonly Deed[]): Deed[] {
  const seen = new Set<string>();
  return deeds.filter(({ kind, who, from, when }) => {
    if (kind !== "look") return true;
    const look = JSON.stringify([who, from, when.slice(0, 10)]);
    return !seen.has(look) && seen.add(look);
  });
}

/** The folder of a guest, which has their name. */
function folderIn(path: string, folder: string): string {
  const step = stepTowards(path, folder);
  return path === `${folder}/${step}` ? "" : step;
}

/** The name that a guest gave: the log tells it behind the place, of looks and of what was brought. */
function nameIn({ action }: LogRow, path: string): string {
  const [, name = ""] = action.split(`/${path} as `);
  return name;
}
