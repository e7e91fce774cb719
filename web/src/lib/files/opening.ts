// Where an entry of a folder opens: a folder in the file manager, a file over its folder.
import type { Entry } from "../api/types.ts";
import { downloadAddress, fileAddress, folderAddress, previewAddress } from "../state/address.ts";
import { kindOf } from "../state/kind.ts";
import { listing } from "../state/listing.svelte.ts";
import { soundsOf } from "../state/neighbours.ts";
import { joinPath } from "../state/paths.ts";
import { router } from "../state/router.svelte.ts";
import { session } from "../state/session.svelte.ts";
import { sound } from "../state/sound.svelte.ts";

/** Where an entry has a page of its own; "" where there is nothing to open. */
export function entryAddress(folder: string, entry: Entry): string {
  const path = joinPath(folder, entry.name);
  if (entry.type === "folder") return folderAddress(path);
  return entry.type === "file" && session.may("/api/download") ? previewAddress(path) : "";
}

/** Opens an entry, here or in a tab of its own. Says whether there was anything to open. */
export function openEntry(folder: string, entry: Entry, isElsewhere: boolean): boolean {
  const address = entryAddress(folder, entry);
  if (address === "") return false;
  const isSound = entry.type === "file" && kindOf(entry.mime, entry.name) === "audio";
  if (isElsewhere) window.open(address, "_blank", "noopener");
  // Heard at once and over no page of its own: the press of the button is what browsers ask for.
  else if (isSound) playFrom(folder, entry.name);
  else router.go(entry.type === "folder" ? address : fileAddress(folder, entry.name));
  return true;
}

/** Plays a sound of the folder on show, and after it the others, in the order they have there. */
export function playFrom(folder: string, name: string): void {
  const names = soundsOf(listing.entries);
  const tracks = names.map(({ name, mime, size }) => ({ path: joinPath(folder, name), mime, size }));
  const at = names.findIndex((entry) => entry.name === name);
  if (at !== -1) sound.play(tracks, at, (track) => downloadAddress(track.path, true));
}
