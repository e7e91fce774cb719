import { expect, it } from "vitest";
import { isWorthIt } from "./making.ts";

it.each([
  ["film.mp4", "video/mp4", 4_000_000_000, "quick"],
  ["photo.heic", "", 5_000_000, "quick"],
  ["anim.gif", "image/gif", 1_000_000, "any"],
  ["anim.gif", "image/gif", 10_000_000, "quick"],
  ["poster.gif", "image/gif", 100_000_000, "none"],
  ["plan.svg", "image/svg+xml", 50_000, "any"],
  ["map.svg", "image/svg+xml", 5_000_000, "none"],
  ["paper.pdf", "application/pdf", 1000, "none"],
  ["notes.txt", "text/plain", 10, "none"],
])("fetches %s (%s, %i bytes) for its picture over a line that is: %s", (path, mime, size, lines) => {
  expect(isWorthIt({ path, mime, size }, false)).toBe(lines !== "none");
  expect(isWorthIt({ path, mime, size }, true)).toBe(lines === "any");
});
