// The pictures and films of a folder as the viewer takes them. Knows no view.
import type { Entry } from "../api/types.ts";
import { mayHaveThumb } from "../photos/thumb.ts";
import { joinPath } from "../state/paths.ts";
import type { Item } from "./item.ts";

/** An entry of a folder; where there is no small picture of its kind (BMP, TIFF) none is asked for. */
export function itemIn(folder: string, entry: Entry): Item {
  const { name, size, modified, mime, etag } = entry;
  return { path: joinPath(folder, name), size, modified, mime, etag, thumb: mayHaveThumb(entry) };
}
