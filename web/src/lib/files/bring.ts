// Files from the desktop on their way into folders: picked in a dialog, or dropped.
import { listing } from "../state/listing.svelte.ts";
import { sideOf } from "../state/operations.svelte.ts";
import { joinPath, parentOf } from "../state/paths.ts";
import { uploads } from "../state/uploads.svelte.ts";
import type { Dropped } from "./dropped.ts";

/** Uploads files. */
export function bringFiles(brought: readonly Dropped[]): void {
  // Only the names on show are known; of others the server says whether they are taken.
  const there = new Map(listing.all.map((entry) => [entry.name, sideOf(entry)]));
  const ofOne = (one: Dropped) => (one.folder === listing.shownPath ? there.get(one.file.name) : undefined);
  void uploads.add(brought.map((one) => ({ ...one, there: ofOne(one) })));
}

/** Files that were picked, and where below `folder` each goes. */
export function placesOf(files: Iterable<File>, folder: string): Dropped[] {
  return [...files].map((file) => {
    // Files of a folder that was picked say where in it they lie.
    const inner = parentOf(file.webkitRelativePath);
    return { folder: inner === "" ? folder : joinPath(folder, inner), file };
  });
}
