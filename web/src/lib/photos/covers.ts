// The first pictures in folders, for their covers: found once for each state of a folder.
import { listSome } from "../api/files.ts";
import type { Entry } from "../api/types.ts";
import { sortEntries, SORTING_AT_FIRST } from "../state/sort.ts";
import { kindOf } from "../state/kind.ts";
import { joinPath } from "../state/paths.ts";
import { line } from "./line.ts";
import { mayHaveThumb, type Thumbed } from "./thumb.ts";

/** Pictures that are told: more than a cover has room for, for some may have no small picture. */
const PICTURES_MAX = 8;
/** Folders that are looked into where a folder has no pictures of its own: these show theirs in turn. */
const ALBUMS_MAX = 4;
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
      const files = await find(path, signal);
      remember(key, files);
      if (!signal.aborted) onfound(files);
    },
  );
}

/** The first pictures in a folder; where it has none, those of the folders in it that changed last. */
async function find(path: string, signal: AbortSignal): Promise<Thumbed[]> {
  const { pictures, folders } = await look(path, signal);
  if (pictures.length > 0) return pictures;
  const albums: Thumbed[][] = [];
  for (const folder of folders) albums.push((await look(folder, signal)).pictures);
  const turns = Array.from({ length: PICTURES_MAX }, (_, turn) => albums.flatMap((album) => album[turn] ?? []));
  return turns.flat().slice(0, PICTURES_MAX);
}

async function look(path: string, signal: AbortSignal): Promise<{ pictures: Thumbed[]; folders: string[] }> {
  const entries = (await listSome(path, signal)).filter(({ name }) => !name.startsWith("."));
  const isPicture = (entry: Entry) => entry.type === "file" && mayHaveThumb(entry) && kindOf(entry.mime, entry.name) === "image";
  const pictures = sortEntries(entries.filter(isPicture), SORTING_AT_FIRST, "en")
    .slice(0, PICTURES_MAX)
    .map((entry): Thumbed => ({ ...entry, path: joinPath(path, entry.name) }));
  const folders = entries
    .filter(({ type }) => type === "folder")
    .sort((one, other) => other.modified.localeCompare(one.modified) || other.name.localeCompare(one.name, "en"))
    .slice(0, ALBUMS_MAX)
    .map(({ name }) => joinPath(path, name));
  return { pictures, folders };
}

function remember(key: string, files: readonly Thumbed[]): void {
  known.set(key, files);
  for (const oldest of known.keys()) {
    if (known.size <= KEPT_MAX) break;
    known.delete(oldest);
  }
}
