// Files from this device on their way into folders: picked in a dialog, dropped, or pasted.
import type { KeptBatch } from "../state/keptUploads.ts";
import type { LeftFile } from "../state/left.svelte.ts";
import { listing } from "../state/listing.svelte.ts";
import { sideOf } from "../state/operations.svelte.ts";
import { joinPath, nameOf, parentOf } from "../state/paths.ts";
import { isSameFile } from "../state/sending.ts";
import { type Brought, uploads } from "../state/uploads.svelte.ts";

/** Uploads files. `isContinued`: some of them were brought another time already. */
export function bringFiles(brought: readonly Brought[], isContinued = false): void {
  // Only the names on show are known; of others the server says whether they are taken.
  const there = new Map(listing.all.map((entry) => [entry.name, sideOf(entry)]));
  const ofOne = (one: Brought) => (one.folder === listing.shownPath ? there.get(one.file.name) : undefined);
  uploads.add(brought.map((one) => ({ ...one, there: ofOne(one) })), isContinued);
}

/** Files that were picked, and where below `folder` each goes. */
export function placesOf(files: Iterable<File>, folder: string): Brought[] {
  return [...files].map((file) => {
    // Files of a folder that was picked say where in it they lie.
    const inner = parentOf(file.webkitRelativePath);
    if (inner === "") return { folder, file };
    return { folder: joinPath(folder, inner), file, root: joinPath(folder, inner.split("/")[0] ?? "") };
  });
}

/** Goes on with a file that waited; answers whether it is the one. */
export function bringAgain(waiting: LeftFile, file: File): boolean {
  if (!isSameFile(waiting, file)) return false;
  const name = nameOf(waiting.path);
  // On this device it may have another name by now.
  const named = file.name === name ? file : new File([file], name, { type: file.type, lastModified: file.lastModified });
  bringFiles([{ folder: parentOf(waiting.path), file: named }]);
  return true;
}

/** Brings the rest of what was begun another time; answers whether these are the ones. */
export function bringRest(batch: KeptBatch, files: readonly File[]): boolean {
  const places = placesOf(files, batch.isFolder ? parentOf(batch.path) : batch.path);
  if (places.length === 0) return true;
  if (batch.isFolder && places.some((one) => one.root !== batch.path)) return false;
  uploads.left.leaveBatch(batch.id);
  bringFiles(places, true);
  return true;
}

/** Names that browsers give to what has none: a pasted picture, or one of the camera of some phones. */
const NAMELESS = /^image\.(\w+)$/i;

/** A file that has a name of its own: what was called like all others is called after its time. */
export function named(file: File, what: string): File {
  const ending = NAMELESS.exec(file.name)?.[1];
  if (ending === undefined) return file;
  const at = new Date(file.lastModified);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(".");
  return new File([file], `${what} ${day} ${time}.${ending}`, { type: file.type, lastModified: file.lastModified });
}
