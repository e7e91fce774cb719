import { expect, it } from "vitest";
import { readPositions, withPosition } from "./positions.ts";

it("remembers the latest, each once, and forgets what is over", () => {
  let all = withPosition([], "a", 20.4);
  all = withPosition(all, "b", 30);
  all = withPosition(all, "a", 40);
  expect(all).toEqual([["b", 30], ["a", 40]]);
  expect(withPosition(all, "b", 0)).toEqual([["a", 40]]);
});

it("is bounded", () => {
  let all = readPositions(null);
  for (let at = 0; at < 300; at += 1) all = withPosition(all, `film ${at}`, 50);
  expect(all).toHaveLength(100);
  expect(all.at(-1)?.[0]).toBe("film 299");
});

it("reads nothing from what is none", () => {
  for (const kept of [null, "", "{}", "nonsense", '[1,["a"],["a","b"],["a",-1]]']) expect(readPositions(kept)).toEqual([]);
});
