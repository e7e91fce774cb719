// Whether a file is there already.
import { readBlob, readPart } from "../api/http.ts";
import { downloadAddress } from "./address.ts";
import type { Side } from "./collisions.svelte.ts";

/** Files that are read whole to be sure (bytes); of larger ones the date and some of the bytes must do. */
const COMPARED_BYTES_MAX = 1024 * 1024;
/** How much of a larger one is read at its start, in its middle and at its end (bytes). */
const SAMPLE_BYTES = 64 * 1024;
/** Dates are told in whole seconds (ms). */
const DATE_MS_SLACK = 1000;

/** Whether it is worth a closer look. */
export function mayBeIdentical(file: File, there: Side): boolean {
  return there.size === file.size;
}

/**
 * Whether `there`, which lies at `path`, is this very file. `isContinued`: it was probably brought another time, and
 * the date of a small one tells that without fetching it.
 */
export async function isIdentical(file: File, path: string, there: Side, signal: AbortSignal, isContinued = false): Promise<boolean> {
  if (!mayBeIdentical(file, there)) return false;
  const address = downloadAddress(path);
  try {
    if (file.size > COMPARED_BYTES_MAX) return isSameDate(file, there) && (await haveSameSamples(file, address, signal));
    if (isContinued && isSameDate(file, there)) return true;
    return await haveSameBytes(file, await readBlob(address, signal));
  } catch {
    // Nobody can say; the reader can.
    return false;
  }
}

function isSameDate(file: File, { modified }: Side): boolean {
  return Math.abs(new Date(modified).getTime() - file.lastModified) < DATE_MS_SLACK;
}

/** What is changed and keeps its size and its date is mostly changed at its start or its end. */
async function haveSameSamples(file: File, address: string, signal: AbortSignal): Promise<boolean> {
  for (const from of [0, Math.floor((file.size - SAMPLE_BYTES) / 2), file.size - SAMPLE_BYTES]) {
    const theirs = new Blob([Uint8Array.from(await readPart(address, from, SAMPLE_BYTES, signal))]);
    if (!(await haveSameBytes(file.slice(from, from + SAMPLE_BYTES), theirs))) return false;
  }
  return true;
}

async function haveSameBytes(one: Blob, other: Blob): Promise<boolean> {
  if (one.size !== other.size) return false;
  const [a, b] = await Promise.all([one.arrayBuffer(), other.arrayBuffer()]);
  const theirs = new Uint8Array(b);
  return new Uint8Array(a).every((byte, at) => byte === theirs[at]);
}
