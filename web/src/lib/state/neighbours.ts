// Which files stand before and after the one on show. Knows names and kinds only.
import type { Entry } from "../api/types.ts";
import { kindOf } from "./kind.ts";

/** Pictures and films among themselves; anything else among all files. */
export function neighboursOf(
  entries: readonly Entry[],
  name: string,
): { names: readonly string[]; at: number } {
  const files = entries.filter((entry) => entry.type === "file");
  const isSeen = (entry: Entry) => ["image", "video"].includes(kindOf(entry.mime, entry.name));
  const own = files.find((entry) => entry.name === name);
  const alike = own && isSeen(own) ? files.filter(isSeen) : files;
  const names = alike.map((entry) => entry.name);
  return { names, at: names.indexOf(name) };
}
