import { expect, it } from "vitest";
import { concerns, readData, readJob } from "./events.svelte.ts";

it("reads what an event says, and nothing from what says none", () => {
  expect(readData('{"path":"docs"}')).toEqual({ path: "docs" });
  for (const text of ["", "null", "7", "{", undefined]) expect(readData(text)).toEqual({});
});

it("takes the work that an event tells of, and nothing else for it", () => {
  const job = { id: "1", kind: "copy", state: "running", done_items: 2 };
  expect(readJob(readData(JSON.stringify(job)))).toEqual(job);
  for (const data of [{}, { id: 1, state: "done" }, { id: "1" }]) expect(readJob(data)).toBeUndefined();
});

it("knows which changes matter to a folder", () => {
  expect(concerns("docs", "docs")).toBe(true);
  expect(concerns("docs/a.txt", "docs")).toBe(true);
  expect(concerns("docs/deep/a.txt", "docs")).toBe(false);
  expect(concerns("", "docs/deep", true)).toBe(true);
  expect(concerns("", "docs/deep")).toBe(false);
  expect(concerns("docs2", "docs")).toBe(false);
  expect(concerns("a.txt", "")).toBe(true);
});
