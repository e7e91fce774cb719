// Has small pictures drawn of what larder cannot read but this browser can, and gives them to larder for everybody:
// a film's frame, HEIC in Safari, AVIF, GIF, SVG. One at a time, when nothing else is fetched, and what failed is not
// tried again. A PDF is left its sign: no browser draws one into a page.
import { readFacts } from "../api/files.ts";
import { lookAt } from "../api/http.ts";
import { keepThumb } from "../api/photos.ts";
import { Problem, type ProblemKind } from "../api/problem.ts";
import { downloadAddress } from "../state/address.ts";
import { kindOf } from "../state/kind.ts";
import { nameOf } from "../state/paths.ts";
import { session } from "../state/session.svelte.ts";
import { drawFilm, drawPicture, type Source } from "./drawing.ts";
import { forgetMissing } from "./fetching.ts";
import { line } from "./line.ts";
import { bareTag, THUMB_SIZES, type Thumbed, thumbUrl } from "./thumb.ts";

/** Pictures that are fetched whole to be drawn: bytes, and on a slow line. */
const FETCHED_MAX = 30_000_000;
const FETCHED_SLOW_MAX = 1_500_000;
/** Drawings: what has more lines than this is long in drawing (bytes). */
const LINES_MAX = 2_000_000;
/** What larder makes itself of nearly every file, so that none is drawn before it was asked. */
const MADE = /^image\/(jpeg|png|apng|webp)/;

/** What passes by itself. */
const PASSING: readonly ProblemKind[] = ["away", "driveBusy", "signedOut", "storageAbsent", "tooSoon"];
/** How many are remembered that could not be drawn, or were as they were brought (each some 100 bytes). */
const NOTED_MAX = 5000;

/** What could not be drawn, by content; the oldest first. */
const failed = new Set<string>();
/** What was drawn as it was brought, and not seen since. */
const made = new Set<string>();
/** The one that is being drawn. */
let running: Promise<unknown> = Promise.resolve();

/** What the browser tells of its line; how many bytes come in a second it guesses badly. */
interface Connection {
  saveData?: boolean;
  effectiveType?: string;
}

function isSlow(): boolean {
  const { connection = {} } = navigator as Navigator & { connection?: Connection };
  return connection.saveData === true || /2g|3g/.test(connection.effectiveType ?? "");
}

/** Draws and gives the picture of a file; resolves to whether larder has one now. */
export type Maker = (file: Thumbed, signal: AbortSignal) => Promise<boolean>;

/** Who draws a picture of this file; `undefined` where nobody may, or it makes no sense. */
export function makerFor(file: Thumbed): Maker | undefined {
  const isOurs = file.writable === true && file.etag !== undefined && session.may("/api/upload");
  return isOurs && isWorthIt(file, isSlow()) && !failed.has(keyOf(file)) ? make : undefined;
}

/** Whether a picture of a file is worth what has to be fetched for it. */
export function isWorthIt({ mime, path, size }: Thumbed, isLineSlow: boolean): boolean {
  const kind = kindOf(mime, nameOf(path));
  // Of a film only what is needed is fetched, but nobody knows how much that is.
  if (kind === "video") return !isLineSlow;
  return kind === "image" && size <= fetchedMax(mime, isLineSlow);
}

function fetchedMax(mime: string, isLineSlow: boolean): number {
  if (isLineSlow) return FETCHED_SLOW_MAX;
  return mime.startsWith("image/svg") ? LINES_MAX : FETCHED_MAX;
}

function make(file: Thumbed, signal: AbortSignal): Promise<boolean> {
  const address = downloadAddress(file.path, true);
  return inTurn(async () => made.delete(keyOf(file)) || give(file, address, signal), signal);
}

/** Waits for those before, and until nothing is fetched; does nothing where nobody wants it any more. */
function inTurn(action: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  const turn = running.then(() => line.untilIdle()).then(() => !signal.aborted && action());
  running = turn.catch(() => undefined);
  return turn;
}

async function give(file: Thumbed, source: Source, signal: AbortSignal): Promise<boolean> {
  const { path, mime, etag } = file;
  try {
    const isFilm = kindOf(mime, nameOf(path)) === "video";
    const picture = await (isFilm ? drawFilm(source, signal) : drawPicture(source, mime, signal));
    if (!picture) throw new Error("Not drawn");
    await keepThumb(path, bareTag(etag), picture, signal);
    for (const size of THUMB_SIZES) forgetMissing(thumbUrl(path, size, etag));
    return true;
  } catch (cause) {
    if (!signal.aborted && isForGood(cause)) noteIn(failed, file);
    return false;
  }
}

/** Whether another try would end the same way: not where larder was away or busy. */
function isForGood(cause: unknown): boolean {
  return !(cause instanceof Problem && PASSING.includes(cause.kind));
}

function noteIn(notes: Set<string>, file: Thumbed): void {
  notes.add(keyOf(file));
  for (const oldest of notes) {
    if (notes.size <= NOTED_MAX) break;
    notes.delete(oldest);
  }
}

/** Draws a picture of a file that was just brought, if larder wants one: here its bytes are at hand. */
export async function drawAfterUpload(file: File, path: string): Promise<void> {
  if (MADE.test(file.type) || !isWorthIt({ path, mime: file.type, size: file.size }, false)) return;
  const { signal } = new AbortController();
  const draw = async () => {
    const { etag, mime, size } = await readFacts(path, signal);
    const brought: Thumbed = { path, mime: file.type || mime, size: file.size, etag };
    // Another one may have taken its place.
    if (size !== file.size || !(await isWanted(brought, signal)) || !(await give(brought, file, signal))) return false;
    noteIn(made, brought);
    return true;
  };
  // Who may bring and not look learns nothing of it; whoever sees it later draws it.
  await inTurn(draw, signal).catch(() => false);
}

/** Whether larder has no picture of a file and would take one from here. */
async function isWanted({ path, etag }: Thumbed, signal: AbortSignal): Promise<boolean> {
  const { status, fields } = await lookAt(thumbUrl(path, 160, etag), signal);
  return status === 404 && fields.get("Larder-Thumb") === "wanted";
}

function keyOf({ path, etag }: Thumbed): string {
  return `${path} ${bareTag(etag)}`;
}
