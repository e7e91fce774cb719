// The first pictures in folders, for their covers: found once for each state of a folder.
import { listSome } from "../api/files.ts";
import { sortEntries, SORTING_AT_FIRST } from "../state/sort.ts";
import { kindOf } from "../state/kind.ts";
import { joinPath } from "../state/paths.ts";
import { line } from "./line.ts";
import { mayHaveThumb, type Thumbed } from "./thumb.ts";

/** Pictures on a cover. */
const PICTURES_MAX = 4;
/** Folders that are remembered (each some 500 bytes). */
const KEPT_MAX = 500;

const known = new Map<string, readonly Thumbed[]>();

/** Finds the first pictures of a folder when nothing else waits; returns the way to stop. */
export function coverOf(path: string, modified: string, onfound: (files: readonly Thumbed[]) => void): () => void {
  const key = `${modified} ${path}`;
  const kept = known.get(key);
  if (kept) {
    onfound(kept);
    return () => undefined;
  }
  return line.ask(
    () => 2,
    async (signal) => {
      const entries = await listSome(path, signal);
      const pictures = entries.filter(
        (entry) =>
          entry.type === "file" && !entry.name.startsWith(".") && mayHaveThumb(entry) && kindOf(entry.mime, entry.name) === "image",
      );
      const files = sortEntries(pictures, SORTING_AT_FIRST, "en")
        .slice(0, PICTURES_MAX)
        .map((entry): Thumbed => ({ ...entry, path: joinPath(path, entry.name) }));
      remember(key, files);
      if (!signal.aborted) onfound(files);
    },
  );
}

function remember(key: string, files: readonly Thumbed[]): void {
  known.set(key, files);
  for (const oldest of known.keys()) {
    if (known.size <= KEPT_MAX) break;
    known.delete(oldest);
  }
}
