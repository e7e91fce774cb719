// Draws small pictures of what larder cannot read but this browser can, and gives them to larder for everybody:
// a film's frame, HEIC in Safari, AVIF, GIF, SVG. One at a time, and what failed is not tried again.
import { keepThumb } from "../api/photos.ts";
import { downloadAddress } from "../state/address.ts";
import { kindOf } from "../state/kind.ts";
import { nameOf } from "../state/paths.ts";
import { canShow } from "../state/pictures.svelte.ts";
import { session } from "../state/session.svelte.ts";
import { forgetMissing } from "./fetching.ts";
import { bareTag, type Thumbed, thumbUrl } from "./thumb.ts";

/** What larder takes: pixels on the longer side, and bytes. */
const SIDE_MAX = 512;
const BYTES_MAX = 64 * 1024;
/** How well it is drawn, and how much worse where that is too large. */
const QUALITIES = [0.82, 0.7, 0.5, 0.3] as const;
/** Pictures that are fetched whole to be drawn: bytes, and on a slow line. */
const FETCHED_MAX = 30_000_000;
const FETCHED_SLOW_MAX = 1_500_000;
/** How far into a film its picture is taken. */
const FILM_SHARE = 0.1;
/** How long a picture or a film's frame is waited for (ms). */
const WAIT_MS = 20_000;

/** What a small picture is made of: larder makes those of other pictures itself. */
const DRAWN = /^image\/(hei[cf](-sequence)?|avif|gif|svg\+xml|webp|bmp|x-icon|vnd\.microsoft\.icon|jxl)/;

/** What could not be drawn, by content. */
const failed = new Set<string>();
/** The one that is being drawn. */
let running: Promise<unknown> = Promise.resolve();

/** What the browser tells of its line. */
interface Line {
  saveData?: boolean;
  effectiveType?: string;
}

function isSlow(): boolean {
  const { connection } = navigator as Navigator & { connection?: Line };
  return connection?.saveData === true || /2g|3g/.test(connection?.effectiveType ?? "");
}

/** Draws and gives the picture of a file; resolves to whether larder has one now. */
export type Maker = (file: Thumbed, signal: AbortSignal) => Promise<boolean>;

/** Who draws a picture of this file; `undefined` where nobody may, or it makes no sense. */
export function makerFor(file: Thumbed): Maker | undefined {
  const isOurs = file.writable === true && file.etag !== undefined && session.may("/api/upload");
  return isOurs && mayDraw(file) ? make : undefined;
}

function mayDraw({ mime, path, size, etag }: Thumbed): boolean {
  if (failed.has(keyOf(path, etag))) return false;
  const kind = kindOf(mime, nameOf(path));
  // Of a film only what is needed is fetched.
  if (kind === "video") return !isSlow();
  return kind === "image" && size <= (isSlow() ? FETCHED_SLOW_MAX : FETCHED_MAX);
}

function make(file: Thumbed, signal: AbortSignal): Promise<boolean> {
  const turn = running.then(() => (signal.aborted ? false : makeNow(file, signal)));
  running = turn.catch(() => undefined);
  return turn;
}

async function makeNow(file: Thumbed, signal: AbortSignal): Promise<boolean> {
  const { path, mime, etag } = file;
  try {
    const isFilm = kindOf(mime, nameOf(path)) === "video";
    const picture = await draw(downloadAddress(path, true), mime, isFilm, signal);
    if (signal.aborted) return false;
    if (!picture) throw new Error("Not drawn");
    await keepThumb(path, bareTag(etag), picture, signal);
    for (const size of [160, 320, 1280] as const) forgetMissing(thumbUrl(path, size, etag));
    return true;
  } catch {
    if (!signal.aborted) failed.add(keyOf(path, etag));
    return false;
  }
}

/** Draws the picture of a file that is about to be brought; `undefined` where larder makes it, or nobody can. */
export async function drawOf(file: File): Promise<Blob | undefined> {
  const isFilm = file.type.startsWith("video/");
  if (!isFilm && !(DRAWN.test(file.type) && file.size <= FETCHED_MAX)) return undefined;
  const address = URL.createObjectURL(file);
  try {
    return await draw(address, file.type, isFilm, AbortSignal.timeout(WAIT_MS));
  } catch {
    return undefined;
  } finally {
    URL.revokeObjectURL(address);
  }
}

async function draw(address: string, mime: string, isFilm: boolean, signal: AbortSignal): Promise<Blob | undefined> {
  if (isFilm) return drawFilm(address, signal);
  if (!(await canShow(mime))) return undefined;
  const image = new Image();
  const stop = () => (image.src = "");
  signal.addEventListener("abort", stop, { once: true });
  try {
    image.src = address;
    await withinTime(image.decode());
    // A drawing without a size of its own is as large as one likes.
    return await toJpeg(image, image.naturalWidth || SIDE_MAX, image.naturalHeight || SIDE_MAX);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

async function drawFilm(address: string, signal: AbortSignal): Promise<Blob | undefined> {
  const film = document.createElement("video");
  film.muted = true;
  film.playsInline = true;
  film.preload = "auto";
  const stop = () => {
    film.removeAttribute("src");
    film.load();
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    film.src = address;
    await told(film, "loadedmetadata");
    if (film.videoWidth === 0) return undefined;
    const length = Number.isFinite(film.duration) ? film.duration : 0;
    film.currentTime = length * FILM_SHARE;
    await told(film, "seeked");
    if (film.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) await told(film, "loadeddata");
    return await toJpeg(film, film.videoWidth, film.videoHeight);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

/** Waits for an event of a film; fails where an error comes first. */
function told(film: HTMLVideoElement, event: string): Promise<void> {
  return withinTime(
    new Promise<void>((resolve, reject) => {
      film.addEventListener(event, () => resolve(), { once: true });
      for (const bad of ["error", "emptied"]) {
        film.addEventListener(bad, () => reject(new Error("No film")), { once: true });
      }
    }),
  );
}

function withinTime<T>(wanted: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("Too late")), WAIT_MS);
  });
  return Promise.race([wanted, late]).finally(() => clearTimeout(timer));
}

/** As small as larder takes it, on white: JPEG knows nothing that shines through. */
async function toJpeg(source: CanvasImageSource, width: number, height: number): Promise<Blob | undefined> {
  const [across, down] = fitted(width, height);
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

/** A size within what larder takes, in the same shape; never larger than it is. */
export function fitted(width: number, height: number): [number, number] {
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height, 1));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

function keyOf(path: string, etag: string | undefined): string {
  return `${path} ${bareTag(etag)}`;
}
