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
  const matching = (filter: string) =>
    keepMatching(rows, filter, (one) => `shown ${one.timestamp.slice(0, 4)}`).map((one) => one.id);
  expect(matching("10.0.0.8 DELETED")).toEqual([2]);
  expect(matching("2026-01-02 shown ana")).toEqual([1]);
  expect(matching("  ")).toHaveLength(2);
  expect(matching("nothing")).toEqual([]);
});
