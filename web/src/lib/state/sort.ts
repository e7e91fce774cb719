// The order of entries in a folder. Knows no page.
import type { Entry } from "../api/types.ts";

export type SortKey = "name" | "size" | "modified";
export interface Sorting {
  key: SortKey;
  isDescending: boolean;
}

export const SORTING_AT_FIRST: Sorting = { key: "name", isDescending: false };

/** What a click on a column's head makes of the present order. */
export function nextSorting(now: Sorting, key: SortKey): Sorting {
  if (now.key === key) return { key, isDescending: !now.isDescending };
  // Of sizes and dates one first wants the big and the new.
  return { key, isDescending: key !== "name" };
}

/** A sorted copy: folders first in any order, names as people count (2 before 10). */
export function sortEntries(entries: Entry[], sorting: Sorting, locale: string): Entry[] {
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
  const byName = (a: Entry, b: Entry) =>
    collator.compare(a.name, b.name) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const sign = sorting.isDescending ? -1 : 1;
  return [...entries].sort((a, b) => {
    const isFolder = Number(b.type === "folder") - Number(a.type === "folder");
    if (isFolder !== 0) return isFolder;
    if (sorting.key === "name") return sign * byName(a, b);
    // A folder's size says nothing about what is in it.
    const isSizeOfFolders = sorting.key === "size" && a.type === "folder";
    const difference = isSizeOfFolders ? 0 : compare(a[sorting.key], b[sorting.key]);
    return sign * difference || byName(a, b);
  });
}

/** Numbers by value; RFC 3339 times in UTC order as their text does. */
function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
