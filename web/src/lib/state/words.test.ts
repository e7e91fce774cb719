import { expect, it } from "vitest";
import { Problem } from "../api/problem.ts";
import { describe } from "./words.ts";

it("names what could not be deleted, as far as one reads it", () => {
  const words = (...failed: string[]) => describe(new Problem("remains", "Some sentence", { failed }));
  expect(words("docs/a.txt")).toContain("“a.txt”");
  expect(words("x/1", "x/2", "x/3", "x/4", "x/5")).toMatch(/“1”.*“2”.*“3”.*others$/);
  expect(words("x/1", "x/2", "x/3", "x/4")).not.toContain("“4”");
  expect(words()).toBe("Part of it cannot be deleted and stays where it was.");
});

it("says who holds a lock, and by any name", () => {
  const words = (sentence: string) => describe(new Problem("locked", sentence, { code: "locked" }));
  expect(words("Locked by Anna")).toMatch(/^Anna has this open in another program/);
  expect(words("Locked by {name} by\nanybody")).toMatch(/^\{name\} by\nanybody has this open/);
  // A sentence that is not known is no name.
  expect(words("Gesperrt von Anna")).toMatch(/^Somebody has this open/);
});
