// Where an entry of a folder opens: a folder in the file manager, a file over its folder.
import type { Entry } from "../api/types.ts";
import { fileAddress, folderAddress, previewAddress } from "../state/address.ts";
import { joinPath } from "../state/paths.ts";
import { router } from "../state/router.svelte.ts";
import { session } from "../state/session.svelte.ts";

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
  if (isElsewhere) window.open(address, "_blank", "noopener");
  else router.go(entry.type === "folder" ? address : fileAddress(folder, entry.name));
  return true;
}
