// The order of entries in a folder. Knows no page.
import type { Entry } from "../api/types.ts";
import { kindOf } from "./kind.ts";
import { readable } from "./rawNames.ts";

export const SORT_KEYS = ["name", "size", "modified", "kind"] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export interface Sorting {
  key: SortKey;
  isDescending: boolean;
}

export const SORTING_AT_FIRST: Sorting = { key: "name", isDescending: false };

/** The order kept as `key` or `-key`; the first one where that cannot be read. */
export function readSorting(kept: string | null): Sorting {
  const isDescending = kept?.startsWith("-") ?? false;
  const key = SORT_KEYS.find((one) => one === kept?.slice(isDescending ? 1 : 0));
  return key ? { key, isDescending } : SORTING_AT_FIRST;
}

export function writeSorting({ key, isDescending }: Sorting): string {
  return `${isDescending ? "-" : ""}${key}`;
}

/** What a click on a column's head makes of the present order. */
export function nextSorting(now: Sorting, key: SortKey): Sorting {
  if (now.key === key) return { key, isDescending: !now.isDescending };
  // Of sizes and dates one first wants the big and the new.
  return { key, isDescending: key === "size" || key === "modified" };
}

/** A sorted copy: folders first in any order, names as people count (2 before 10). */
export function sortEntries(entries: readonly Entry[], sorting: Sorting, locale: string): Entry[] {
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
  const byName = (a: Entry, b: Entry) =>
    collator.compare(readable(a.name), readable(b.name)) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const sign = sorting.isDescending ? -1 : 1;
  return [...entries].sort((a, b) => {
    const isFolder = Number(b.type === "folder") - Number(a.type === "folder");
    if (isFolder !== 0) return isFolder;
    if (sorting.key === "name") return sign * byName(a, b);
    // A folder's size says nothing about what is in it, and it has no kind.
    const isOfFiles = sorting.key === "size" || sorting.key === "kind";
    const difference = isOfFiles && a.type === "folder" ? 0 : differenceOf(a, b, sorting.key);
    return sign * difference || byName(a, b);
  });
}

function differenceOf(a: Entry, b: Entry, key: "size" | "modified" | "kind"): number {
  if (key !== "kind") return compare(a[key], b[key]);
  return compare(kindOf(a.mime, a.name), kindOf(b.mime, b.name)) || compare(endingOf(a.name), endingOf(b.name));
}

/** The ending of a name, small; "" where it has none. */
function endingOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}

/** Numbers by value; RFC 3339 times in UTC order as their text does. */
function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
