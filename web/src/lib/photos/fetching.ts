// Fetches small pictures, and knows of which files there are none.
import { lookAt } from "../api/http.ts";
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
 * broken off, for nobody looks at it any more.
 */
export function fetchPicture(address: string, { rank, onload, onmiss }: Fetching, queue: Line = line): () => void {
  return queue.ask(rank, async (signal) => {
    const image = new Image();
    image.decoding = "async";
    image.draggable = false;
    // Once it is there it is kept, whatever is called off afterwards.
    const breakOff = () => (image.src = "");
    signal.addEventListener("abort", breakOff);
    // A picture whose address is taken away may never say that it did not come.
    const brokenOff = new Promise((resolve) => signal.addEventListener("abort", resolve));
    image.src = address;
    try {
      await Promise.race([image.decode(), brokenOff]);
      signal.removeEventListener("abort", breakOff);
      if (!signal.aborted) onload(image);
    } catch {
      if (signal.aborted) return;
      const miss = await why(address, signal);
      if (miss && !signal.aborted) onmiss(miss);
    }
  });
}

/** Why there was no picture: an image does not tell. */
async function why(address: string, signal: AbortSignal): Promise<Miss | undefined> {
  try {
    const { status, fields } = await lookAt(address, signal);
    // It comes after all: only its decoding was broken off.
    if (status === 503 || status === 429 || status === 200) {
      return { retryAfterS: Number(fields.get("Retry-After")) || RETRY_AFTER_S };
    }
    const isWanted = fields.get("Larder-Thumb") === "wanted";
    if (status === 404) noteMissing(address, isWanted);
    return { isWanted };
  } catch {
    return signal.aborted ? undefined : { retryAfterS: RETRY_AFTER_S };
  }
}
