// Whether a file is there already.
import { readBlob } from "../api/http.ts";
import { downloadAddress } from "./address.ts";
import type { Side } from "./collisions.svelte.ts";

/** Files that are read to be sure (bytes); of larger ones size and date must do. */
const COMPARED_BYTES_MAX = 1024 * 1024;
/** Dates are told in whole seconds (ms). */
const DATE_MS_SLACK = 1000;

/** Whether it is worth a closer look. */
export function mayBeIdentical(file: File, there: Side): boolean {
  return there.size === file.size;
}

/** Whether `there`, which lies at `path`, is this very file. */
export async function isIdentical(file: File, path: string, there: Side, signal: AbortSignal): Promise<boolean> {
  if (!mayBeIdentical(file, there)) return false;
  if (file.size > COMPARED_BYTES_MAX) return isSameDate(file, there);
  try {
    const theirs = await readBlob(downloadAddress(path), signal);
    return await haveSameBytes(file, theirs);
  } catch {
    // Nobody can say; the reader can.
    return false;
  }
}

function isSameDate(file: File, { modified }: Side): boolean {
  return Math.abs(new Date(modified).getTime() - file.lastModified) < DATE_MS_SLACK;
}

async function haveSameBytes(one: Blob, other: Blob): Promise<boolean> {
  if (one.size !== other.size) return false;
  const [a, b] = await Promise.all([one.arrayBuffer(), other.arrayBuffer()]);
  const theirs = new Uint8Array(b);
  return new Uint8Array(a).every((byte, at) => byte === theirs[at]);
}
