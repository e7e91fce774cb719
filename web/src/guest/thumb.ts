// A small picture of a file, in three stages: the colour of its place at once, then the small picture, then the sharp
// one once it is in sight and nothing else waits.
import { fetchPicture, knownMiss, type Miss } from "../lib/photos/fetching.ts";
import { onSeen } from "../lib/photos/seen.ts";
import type { ThumbSize } from "../lib/photos/thumb.ts";

/** How long something stays in sight before it is worth a sharp picture (ms). */
const STAYS_MS = 160;
/** What comes within this time is there at once: it needs no fading in (ms). */
const AT_ONCE_MS = 60;
/** How often one picture is asked for. */
const ATTEMPTS_MAX = 20;

/** Where the picture of a file comes from, by size. */
export type Source = (size: ThumbSize) => string;

/** Fills `place` with pictures; `onmissing` when there is none. Returns the way to stop. */
export function showThumb(place: HTMLElement, source: Source, sharp: ThumbSize, onmissing: () => void): () => void {
  let [isSeen, shown, attempt] = [false, 0, 0];
  let stop: (() => void) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const askSmall = () => {
    const [address, began] = [source(160), performance.now()];
    const known = knownMiss(address);
    if (known) return onmissing();
    stop = fetchPicture(address, {
      rank: () => (isSeen ? 0 : 1),
      onload: (image) => show(image, 160, performance.now() - began > AT_ONCE_MS),
      onmiss: (why) => miss(why),
    });
  };
  const askSharp = () => {
    if (shown === 0 || shown >= sharp || !isSeen) return;
    timer = setTimeout(() => {
      stop = fetchPicture(source(sharp), {
        rank: () => 2,
        onload: (image) => show(image, sharp, false),
        // The small one has to do.
        onmiss: () => undefined,
      });
    }, STAYS_MS);
  };
  const show = (image: HTMLImageElement, size: ThumbSize, isFaded: boolean) => {
    image.alt = "";
    if (isFaded) image.className = "isNew";
    place.querySelector("img")?.remove();
    place.insertBefore(image, place.firstChild);
    shown = size;
    askSharp();
  };
  const miss = (why: Miss) => {
    if ("retryAfterS" in why && attempt++ < ATTEMPTS_MAX) timer = setTimeout(askSmall, why.retryAfterS * 1000);
    else onmissing();
  };
  const leave = () => {
    clearTimeout(timer);
    stop?.();
  };
  const unwatch = onSeen(place, (now) => {
    isSeen = now;
    if (shown === 0) return;
    // What was scrolled away needs no sharp picture.
    leave();
    askSharp();
  });
  askSmall();
  return () => {
    unwatch();
    leave();
  };
}
