// Draws small pictures of what this browser can show: of pictures, drawings, and a frame of films. Knows nothing of
// who wants them, or what becomes of them.
import { readBlob } from "../api/http.ts";
import { canShow } from "../state/pictures.svelte.ts";

/** What larder takes: pixels on the longer side, and bytes. */
const SIDE_MAX = 512;
const BYTES_MAX = 64 * 1024;
/** How well it is drawn, and how much worse where that is too large. */
const QUALITIES = [0.82, 0.7, 0.5, 0.3] as const;
/** Pixels of a picture: the browser unfolds all of them, at four bytes each. */
const PIXELS_MAX = 50_000_000;
/** How far into a film its picture is taken. */
const FILM_SHARE = 0.1;
/** How long a picture or a film's frame is waited for (ms). */
const WAIT_MS = 20_000;
/** How long a picture may take to come; on a slower line it is not worth it (ms). */
const FETCH_MS = 180_000;

/** Where something to draw is, or itself. */
export type Source = string | Blob;

/** Draws a picture as small as larder takes it; `undefined` where this browser does not show it. */
export async function drawPicture(source: Source, mime: string, signal: AbortSignal): Promise<Blob | undefined> {
  if (!(await canShow(mime))) return undefined;
  const picture = typeof source === "string" ? await readBlob(source, signal, FETCH_MS) : source;
  return mime.startsWith("image/svg") ? drawLines(picture, signal) : drawPixels(picture, signal);
}

function drawPixels(picture: Blob, signal: AbortSignal): Promise<Blob | undefined> {
  return withAddress(picture, (address) =>
    withImage(address, signal, async (image) => {
      const { naturalWidth: width, naturalHeight: height } = image;
      if (width === 0 || width * height > PIXELS_MAX) return undefined;
      const pixels = await unfold(picture, image, signal);
      try {
        return await toJpeg(pixels, fitted(width, height));
      } finally {
        if (pixels instanceof ImageBitmap) pixels.close();
      }
    }),
  );
}

/** The pixels of a picture: unfolded beside the page, which does not stop for it; some browsers only do it for images. */
async function unfold(picture: Blob, image: HTMLImageElement, signal: AbortSignal): Promise<ImageBitmap | HTMLImageElement> {
  try {
    return await withinTime(createImageBitmap(picture, { imageOrientation: "from-image" }), signal);
  } catch {
    await withinTime(image.decode(), signal);
    return image;
  }
}

/**
 * Draws what has no pixels of its own, as large as larder takes it. As an image it runs nothing and fetches nothing;
 * as one within its address, browsers give back even what has pieces of pages in it.
 */
async function drawLines(drawing: Blob, signal: AbortSignal): Promise<Blob | undefined> {
  return withImage(await dataAddress(drawing), signal, async (image) => {
    const { naturalWidth: width, naturalHeight: height } = image;
    return width === 0 || height === 0 ? undefined : toJpeg(image, fitted(width, height, Infinity));
  });
}

/** Draws a frame of a film. Of that only what is needed is fetched. */
export function drawFilm(source: Source, signal: AbortSignal): Promise<Blob | undefined> {
  return withAddress(source, async (address) => {
    const film = document.createElement("video");
    film.muted = true;
    film.playsInline = true;
    film.preload = "metadata";
    try {
      film.src = address;
      await told(film, "loadedmetadata", signal);
      if (film.videoWidth === 0) return undefined;
      // What was recorded in a browser does not say how long it is.
      film.currentTime = Number.isFinite(film.duration) ? film.duration * FILM_SHARE : 0;
      await told(film, "seeked", signal);
      if (film.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) await told(film, "loadeddata", signal);
      return await toJpeg(film, fitted(film.videoWidth, film.videoHeight));
    } finally {
      film.removeAttribute("src");
      film.load();
    }
  });
}

/** Gives the address of something for as long as that is used. */
async function withAddress<T>(source: Source, use: (address: string) => Promise<T>): Promise<T> {
  if (typeof source === "string") return use(source);
  const address = URL.createObjectURL(source);
  try {
    return await use(address);
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Loads an image, and lets go of it in the end: what is still on its way then is broken off. */
async function withImage<T>(address: string, signal: AbortSignal, use: (image: HTMLImageElement) => Promise<T>): Promise<T> {
  const image = new Image();
  try {
    image.src = address;
    await told(image, "load", signal);
    return await use(image);
  } finally {
    image.src = "";
  }
}

function dataAddress(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error("Not read"));
    reader.readAsDataURL(blob);
  });
}

/** Waits for an event of an image or a film; fails where an error comes first. */
function told(one: HTMLElement, event: string, signal: AbortSignal): Promise<void> {
  return withinTime(
    new Promise<void>((resolve, reject) => {
      one.addEventListener(event, () => resolve(), { once: true });
      one.addEventListener("error", () => reject(new Error("Not shown")), { once: true });
    }),
    signal,
  );
}

/** Waits for something, but not for ever, and not when nobody wants it any more. */
async function withinTime<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new Error("Too late")), WAIT_MS);
  const give = () => over.abort(signal.reason);
  signal.addEventListener("abort", give, { once: true });
  const late = new Promise<never>((_, reject) => over.signal.addEventListener("abort", () => reject(over.signal.reason)));
  try {
    return await Promise.race([wanted, late]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", give);
  }
}

/** As small as larder takes it, on white: JPEG knows nothing that shines through. */
async function toJpeg(source: CanvasImageSource, [across, down]: [number, number]): Promise<Blob | undefined> {
  const canvas = document.createElement("canvas");
  canvas.width = across;
  canvas.height = down;
  const pen = canvas.getContext("2d");
  if (!pen) return undefined;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, across, down);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(source, 0, 0, across, down);
  for (const quality of QUALITIES) {
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob && blob.size <= BYTES_MAX) return blob;
  }
  return undefined;
}

/** A size within what larder takes, in the same shape; enlarged no more than it may be. */
export function fitted(width: number, height: number, enlargedMax = 1): [number, number] {
  const scale = Math.min(enlargedMax, SIDE_MAX / Math.max(width, height, 1));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}
