// Another name for a photo; the film of a Live Photo goes by the same one.
import { rename } from "../api/files.ts";
import { nameOf, parentOf, stemLength } from "../state/paths.ts";
import type { Photo } from "./source.ts";

/** What the film of a Live Photo is called beside a photo of that name. */
export function filmName(pair: string, name: string): string {
  const film = nameOf(pair);
  return name.slice(0, stemLength(name)) + film.slice(stemLength(film));
}

/** Renames a photo where it lies. If its film cannot follow, the photo has its old name again. */
export async function renamePhoto(photo: Pick<Photo, "path" | "pair">, name: string): Promise<void> {
  const folder = parentOf(photo.path);
  const old = nameOf(photo.path);
  await renameFile(folder, old, name);
  if (photo.pair === undefined) return;
  const film = filmName(photo.pair, name);
  if (film === nameOf(photo.pair)) return;
  try {
    await renameFile(folder, nameOf(photo.pair), film);
  } catch (cause) {
    await renameFile(folder, name, old);
    throw cause;
  }
}

function renameFile(folder: string, from: string, to: string): Promise<void> {
  return rename(folder, { name: from, type: "file" }, to);
}
