import { expect, it } from "vitest";
import type { Job } from "../api/types.ts";
import { shareDone } from "./jobs.svelte.ts";

const job = (more: Partial<Job>): Job => ({
  id: "1",
  kind: "copy",
  state: "running",
  done_bytes: 0,
  total_bytes: 0,
  done_items: 0,
  total_items: 0,
  ...more,
});

it("knows how much is done by bytes, else by items, else not at all", () => {
  expect(shareDone(job({ done_bytes: 1, total_bytes: 4, done_items: 3, total_items: 4 }))).toBe(0.25);
  expect(shareDone(job({ done_items: 3, total_items: 4 }))).toBe(0.75);
  expect(shareDone(job({}))).toBeUndefined();
  expect(shareDone(job({ state: "done" }))).toBe(1);
  expect(shareDone(job({ done_bytes: 9, total_bytes: 4 }))).toBe(1);
});
