import { expect, it } from "vitest";
import { isRaw, readable } from "./rawNames.ts";

it.each([
  ["%=%E9t%E9.txt", "été.txt"],
  ["%=100%25 &cafe%E9", "100% &cafeé"],
  ["%=gr%FC%DFe", "grüße"],
  // A name that is text and begins so is told in the same way.
  ["%=%25=real", "%=real"],
  ["plain 100%.txt", "plain 100%.txt"],
  ["%E9t%E9.txt", "%E9t%E9.txt"],
])("%s reads %s", (told, read) => {
  expect(readable(told)).toBe(read);
  expect(isRaw(told)).toBe(told.startsWith("%="));
});

it("no two bytes read alike", () => {
  const all = Array.from({ length: 128 }, (_, at) => readable(`%=%${(at + 128).toString(16).toUpperCase()}`));
  expect(new Set(all).size).toBe(128);
});
