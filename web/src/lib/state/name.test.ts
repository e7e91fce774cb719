import { expect, it } from "vitest";
import { judgeName } from "./name.ts";

it.each([
  ["", "missing"],
  ["  ", "missing"],
  ["a/b", "slash"],
  [".", "dots"],
  ["..", "dots"],
  ["a\0b", "dots"],
  ["ä".repeat(128), "long"],
  ["a".repeat(256), "long"],
  ["ä".repeat(127), undefined],
  ["a".repeat(255), undefined],
  ["...", undefined],
  [".hidden", undefined],
  ["<b>&\"'\n", undefined],
])("%j is %s", (name, fault) => {
  expect(judgeName(name)).toBe(fault);
});
