// Which uploads have lines of their own in the tray, and in what order.
import type { Upload, UploadState } from "../state/upload.svelte.ts";

const ORDER: Record<UploadState, number> = { asking: 0, running: 1, elsewhere: 2, failed: 3, waiting: 4, skipped: 5, done: 6 };
/** How often lines are put in order at most (ms). */
export const ORDER_EVERY_MS = 150;
/** Done ones that keep their lines: with more than these, they fold into one. */
const DONE_LINES_MAX = 3;

/** What runs or went wrong comes first; among equals the order they came in. */
export function inOrder(some: readonly Upload[]): Upload[] {
  return [...some].sort((a, b) => ORDER[a.state] - ORDER[b.state]);
}

/** Single files: those with lines, and those that folded away. */
export function linesOf(all: readonly Upload[]): { lines: Upload[]; folded: Upload[] } {
  const single = all.filter((one) => one.parcel === undefined);
  const isOver = (one: Upload) => one.state === "done" || one.state === "skipped";
  const over = single.filter(isOver);
  if (over.length <= DONE_LINES_MAX) return { lines: inOrder(single), folded: [] };
  return { lines: inOrder(single.filter((one) => !isOver(one))), folded: over };
}
