import { expect, it } from "vitest";
import { Upload, type UploadBatch, type UploadState } from "../state/upload.svelte.ts";
import { inOrder, linesOf } from "./trayLines.ts";

const batch: UploadBatch = { open: new Set(), isContinued: false, counts: new Map(), there: new Map() };

function uploadsIn(...states: UploadState[]): Upload[] {
  return states.map((state, id) => Object.assign(new Upload(id, new File([], String(id)), "", batch, undefined, false), { state }));
}

it("puts first what wants something", () => {
  const all = uploadsIn("done", "waiting", "running", "failed", "asking", "waiting");
  expect(inOrder(all).map((one) => one.id)).toEqual([4, 2, 3, 1, 5, 0]);
});

it("folds what is done, once that is more than a few", () => {
  expect(linesOf(uploadsIn("done", "skipped", "done", "running")).folded).toEqual([]);
  const { lines, folded } = linesOf(uploadsIn("done", "skipped", "done", "done", "running"));
  expect([lines.map((one) => one.id), folded.map((one) => one.id)]).toEqual([[4], [0, 1, 2, 3]]);
});
