import { expect, it } from "vitest";
import { sharpSize, thumbUrl } from "./thumb.ts";

it("asks by path, size and content", () => {
  expect(thumbUrl("a b/c&d.jpg", 160, 'W/"12-ab"')).toBe("/api/thumb?path=a%20b/c%26d.jpg&size=160&v=12-ab");
  expect(thumbUrl("a.jpg", 320, undefined)).toBe("/api/thumb?path=a.jpg&size=320");
});

it.each([
  [100, 1, 160],
  [150, 4 / 3, 160],
  [180, 4 / 3, 320],
  [312, 4 / 3, 320],
  [700, 1, 1280],
  [4000, 1, 1280],
] as const)("wants for %i pixels at a shape of %f the size %i", (pixels, shape, size) => {
  expect(sharpSize(pixels, shape)).toBe(size);
});
