// Fetches small pictures, and knows of which files there are none.
import { lookAt } from "../api/http.ts";
import { type Line, line, type Rank } from "./line.ts";

/** What a picture could not be shown for: there is none, or there is none yet. */
export type Miss = { isWanted: boolean } | { retryAfterS: number };

/** How many files without a picture are remembered (each some 100 bytes). */
const NONE_MAX = 5000;
/** How long larder is left alone where it does not say (s). */
const RETRY_AFTER_S = 2;

/** Of these addresses there is no picture, for this content. */
const none = new Set<string>();

/** Whether it is known that there is no picture at an address. */
export function isKnownMissing(address: string): boolean {
  return none.has(address);
}

/** There is one now. */
export function forgetMissing(address: string): void {
  none.delete(address);
}

function noteMissing(address: string): void {
  none.add(address);
  for (const oldest of none) {
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
    signal.addEventListener("abort", () => (image.src = ""));
    image.src = address;
    try {
      await image.decode();
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
    if (status === 503 || status === 429) {
      return { retryAfterS: Number(fields.get("Retry-After")) || RETRY_AFTER_S };
    }
    if (status === 404) noteMissing(address);
    return { isWanted: fields.get("Larder-Thumb") === "wanted" };
  } catch {
    return signal.aborted ? undefined : { retryAfterS: RETRY_AFTER_S };
  }
}
