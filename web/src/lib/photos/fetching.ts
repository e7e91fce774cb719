// Fetches small pictures, and knows of which files there are none.
import { getPicture } from "../api/http.ts";
import { type Line, line, type Rank } from "./line.ts";

/** What a picture could not be shown for: there is none, or there is none yet. */
export type Miss = { isWanted: boolean } | { retryAfterS: number };

/** How many files without a picture are remembered (each some 100 bytes). */
const NONE_MAX = 5000;
/** How long larder is left alone where it does not say (s). */
const RETRY_AFTER_S = 2;

/** Of these addresses there is no picture, for this content; and whether one is wanted from a browser. */
const none = new Map<string, boolean>();

/** What is known of an address without a picture; nothing of all others. */
export function knownMiss(address: string): Miss | undefined {
  const isWanted = none.get(address);
  return isWanted === undefined ? undefined : { isWanted };
}

/** There is one now. */
export function forgetMissing(address: string): void {
  none.delete(address);
}

function noteMissing(address: string, isWanted: boolean): void {
  none.set(address, isWanted);
  for (const oldest of none.keys()) {
    if (none.size <= NONE_MAX) break;
    none.delete(oldest);
  }
}

export interface Fetching {
  rank: () => Rank;
  onload: (image: HTMLImageElement) => void;
  onmiss: (miss: Miss) => void;
}

/**
 * Fetches a picture when its turn comes. The way to stop that is returned: what is on its way then is
 * broken off, for nobody looks at it any more. An image element would not tell why it has nothing to show,
 * so the bytes are asked for, and one question answers both.
 */
export function fetchPicture(address: string, { rank, onload, onmiss }: Fetching, queue: Line = line): () => void {
  return queue.ask(rank, async (signal) => {
    const found = await ask(address, signal).catch((): Miss => ({ retryAfterS: RETRY_AFTER_S }));
    if (signal.aborted) return;
    if (found instanceof Image) onload(found);
    else onmiss(found);
  });
}

async function ask(address: string, signal: AbortSignal): Promise<HTMLImageElement | Miss> {
  const { status, fields, picture } = await getPicture(address, signal);
  if (picture) return unpack(picture);
  if (status === 503 || status === 429) return { retryAfterS: Number(fields.get("Retry-After")) || RETRY_AFTER_S };
  const isWanted = fields.get("Larder-Thumb") === "wanted";
  if (status === 404) noteMissing(address, isWanted);
  return { isWanted };
}

/** The picture, ready to be shown. */
async function unpack(picture: Blob): Promise<HTMLImageElement> {
  const image = new Image();
  image.decoding = "async";
  image.draggable = false;
  image.src = URL.createObjectURL(picture);
  try {
    await image.decode();
    return image;
  } finally {
    // The element has what it needs of it.
    URL.revokeObjectURL(image.src);
  }
}
