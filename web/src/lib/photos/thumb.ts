// Small pictures of files: where they come from and which one a place on the screen wants. Knows no page.
import type { Entry } from "../api/types.ts";
import { thumbAddress } from "../state/address.ts";

/** What larder makes small pictures of: pixels on the longer side. */
export const THUMB_SIZES = [160, 320, 1280] as const;
export type ThumbSize = (typeof THUMB_SIZES)[number];

/** How much larger than it is a picture may be shown before that is seen. */
const ENLARGED_MAX = 1.3;

/** A file as far as its small pictures go. */
export interface Thumbed {
  path: string;
  mime: string;
  /** Changes with the content; without it nothing is kept by the browser for good. */
  etag?: string | undefined;
  /** Bytes. */
  size: number;
  /** Whether the reader may give larder a picture of it. */
  writable?: boolean | undefined;
}

/** Where the small picture of a file is: a guest of a link has it from elsewhere than whoever is signed in. */
export type ThumbSource = (file: Thumbed, size: ThumbSize) => string;

/** Where larder has a small picture of a file. The `etag` lets the browser keep it for good. */
export function thumbUrl(path: string, size: ThumbSize, etag: string | undefined): string {
  return thumbAddress(path, size, bareTag(etag));
}

/** An ETag without what HTTP puts around it. */
export function bareTag(etag: string | undefined): string {
  return (etag ?? "").replace(/^W\//, "").replaceAll('"', "");
}

/** Where whoever is signed in has small pictures from. */
export const ownThumbs: ThumbSource = (file, size) => thumbUrl(file.path, size, file.etag);

/**
 * Which size is sharp where a picture fills `pixels` of the screen; `shape` is its longer side by its
 * shorter one where the shorter one has to fill the place, 1 where the longer one does.
 */
export function sharpSize(pixels: number, shape = 4 / 3): ThumbSize {
  return THUMB_SIZES.find((size) => (size / shape) * ENLARGED_MAX >= pixels) ?? 1280;
}

/** Whether there may be a small picture of an entry of a folder. */
export function mayHaveThumb(entry: Pick<Entry, "thumb">): boolean {
  return entry.thumb === true;
}
