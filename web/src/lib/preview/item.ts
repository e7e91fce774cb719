// A picture or film as the viewer takes it, and where its bytes come from. Knows no folder and no view:
// whoever opens the viewer brings a list of these.
import { listFolder } from "../api/files.ts";
import { get } from "../api/http.ts";
import { type ThumbSize, thumbUrl } from "../photos/thumb.ts";
import { davAddress, downloadAddress } from "../state/address.ts";
import { kindOf } from "../state/kind.ts";
import { joinPath, nameOf, parentOf } from "../state/paths.ts";
import type { Place } from "./exif.ts";
import { session } from "../state/session.svelte.ts";

/** One picture or film; what is missing is not known. */
export interface Item {
  path: string;
  /** Bytes. */
  size: number;
  /** RFC 3339. */
  modified: string;
  mime: string;
  etag?: string | undefined;
  /** `false`: larder has no small picture of it. */
  thumb?: boolean | undefined;
  /** When it was taken by the camera's own clock, without a zone. */
  taken?: string | undefined;
  width?: number | undefined;
  height?: number | undefined;
  /** Seconds. */
  duration?: number | undefined;
  /** The path of the film that belongs to it: a Live Photo. */
  pair?: string | undefined;
}

/** Where the bytes are: a guest of a link has them from elsewhere than whoever is signed in. */
export interface Sources {
  /** A small picture of it; "" where there is none. */
  thumb: (item: Item, size: ThumbSize) => string;
  /** The file itself, to look at or (`isKept`) to keep. */
  content: (item: Pick<Item, "path">, isKept?: boolean) => string;
  /** Where an app outside the browser can open it, giving name and password; "" where nothing is. */
  address: (item: Pick<Item, "path">) => string;
  /** Where it was taken, for whoever asks; `undefined` where that is not known. */
  place: (item: Item) => Promise<Place | undefined>;
  /** The paths of the files in its folder, itself included. */
  beside: (item: Pick<Item, "path">, signal: AbortSignal) => Promise<readonly string[]>;
}

/** Pictures of one folder and month among which one is looked for: as many as larder tells at once. */
const PLACED_MAX = 5000;

/** The sources of whoever is signed in. */
export const ownSources: Sources = {
  thumb: (item, size) => (item.thumb === false ? "" : thumbUrl(item.path, size, item.etag)),
  content: (item, isKept = false) => downloadAddress(item.path, !isKept),
  address: ({ path }) => (session.may("/dav/") ? davAddress(location.origin, path) : ""),
  place: async ({ path, taken, modified }) => {
    const wanted = { path: parentOf(path), month: (taken ?? modified).slice(0, 7), limit: PLACED_MAX, place: "1" };
    const answer = await get("/api/photos", wanted);
    const { lat, lon } = ("items" in answer && answer.items.find((one) => one.path === path)) || {};
    return lat === undefined || lon === undefined ? undefined : { lat, lon };
  },
  beside: async ({ path }, signal) => {
    const folder = parentOf(path);
    const entries = await listFolder(folder, signal);
    return entries.filter((entry) => entry.type === "file").map((entry) => joinPath(folder, entry.name));
  },
};

/** Whether it is a film. */
export function isFilm(item: Pick<Item, "path" | "mime">): boolean {
  return kindOf(item.mime, nameOf(item.path)) === "video";
}
