// Hands a picture to another app of the device, by the browser's own sheet.
import { readBlob } from "../api/http.ts";
import { previewAddress } from "../state/address.ts";
import { nameOf } from "../state/paths.ts";
import { readable } from "../state/rawNames.ts";
import type { Item, Sources } from "./item.ts";

/** Larger files are shared as an address: they would have to be in memory whole (bytes). */
const FILE_BYTES_MAX = 40_000_000;

/** The last one that was fetched: where the press of the button was too long ago by then, the next one shares it. */
let fetched: { path: string; data: ShareData } | undefined;

/** Whether there is such a sheet; browsers have it over HTTPS only. */
export function canShare(): boolean {
  return typeof navigator.share === "function";
}

/** Shares the file, or the address of its page where it is too large or may not be shared. */
export async function share(item: Item, sources: Sources): Promise<void> {
  const title = readable(nameOf(item.path));
  try {
    await navigator.share((await asFile(item, sources, title)) ?? { title, url: new URL(previewAddress(item.path), location.href).href });
  } catch (cause) {
    // The reader thought better of it, or the press of the button is too long ago: they press again.
    if (cause instanceof DOMException && ["AbortError", "NotAllowedError"].includes(cause.name)) return;
    throw cause;
  }
}

async function asFile(item: Item, sources: Sources, name: string): Promise<ShareData | undefined> {
  if (item.size > FILE_BYTES_MAX) return undefined;
  const probe = { files: [new File([], name, { type: item.mime })] };
  if (!navigator.canShare?.(probe)) return undefined;
  if (fetched?.path === item.path) return fetched.data;
  const blob = await readBlob(sources.content(item));
  const data = { files: [new File([blob], name, { type: item.mime })] };
  fetched = { path: item.path, data };
  return data;
}
