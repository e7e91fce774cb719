import { expect, it } from "vitest";
import { keepMatching, mergeRows } from "./logs.ts";

const row = (id: number, action = "Signed in: ana", ip = "10.0.0.7") => ({
  id,
  timestamp: "2026-01-02 03:04:05",
  action,
  ip,
});

it("puts rows together, each once, newest first", () => {
  expect(mergeRows([row(3), row(2)], [row(2), row(5), row(1)]).map((one) => one.id)).toEqual([5, 3, 2, 1]);
});

it("finds all words anywhere", () => {
  const rows = [row(1), row(2, "Deleted a.txt", "10.0.0.8")];
  expect(keepMatching(rows, "10.0.0.8 DELETED").map((one) => one.id)).toEqual([2]);
  expect(keepMatching(rows, "  ")).toHaveLength(2);
  expect(keepMatching(rows, "nothing")).toEqual([]);
});
