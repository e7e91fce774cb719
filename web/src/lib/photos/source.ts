// Where photos come from. A guest of a link has them from elsewhere than whoever is signed in.
import { listMonths, listPhotos, type Month, type Photo, scanPhotos } from "../api/photos.ts";
import { session } from "../state/session.svelte.ts";
import { ownThumbs, type ThumbSource } from "./thumb.ts";

export type { Month, Photo };

/** All months with photos, and how far they are known. */
export interface Months {
  months: readonly Month[];
  /** Every folder was looked through once. */
  complete: boolean;
}

export interface PhotoSource {
  thumb: ThumbSource;
  months: (signal: AbortSignal) => Promise<Months>;
  /** The photos of a month from `after` on, newest first, and where to go on. */
  photos: (month: string, after: string | undefined, signal: AbortSignal) => Promise<{ items: Photo[]; next?: string }>;
  /** Has folders looked through that never were; `undefined` where nobody may. Resolves to the work's name. */
  scan: (() => Promise<string>) | undefined;
  /** Whether the reader may change a photo. */
  mayWrite: (path: string) => boolean;
}

/** Photos asked for at once. */
const PAGE = 1000;

/** The photos of whoever is signed in. */
export const ownPhotos: PhotoSource = {
  thumb: ownThumbs,
  months: listMonths,
  photos: (month, after, signal) => listPhotos({ month, limit: PAGE, ...(after !== undefined && { after }) }, signal),
  get scan() {
    return session.may("/api/finder") ? scanPhotos : undefined;
  },
  mayWrite: (path) => session.mayWriteAt(path),
};
