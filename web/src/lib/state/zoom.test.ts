import { expect, it } from "vitest";
import { FITTING, shift, swipeOf, zoomAt } from "./zoom.ts";

it("keeps what is under the pointer where it is", () => {
  const zoomed = zoomAt(FITTING, 2, 100, 50);
  expect(zoomed).toEqual({ scale: 2, x: -100, y: -50 });
  expect(zoomAt(zoomed, 2, 100, 50)).toEqual({ scale: 4, x: -300, y: -150 });
});

it("is never smaller than it fits, nor endlessly large", () => {
  expect(zoomAt({ scale: 2, x: 40, y: 0 }, 0.1, 0, 0)).toEqual(FITTING);
  expect(zoomAt(FITTING, 1000, 0, 0).scale).toBe(16);
});

it("stays on the stage", () => {
  const picture = { width: 100, height: 100 };
  const stage = { width: 150, height: 150 };
  expect(shift({ scale: 2, x: 0, y: 0 }, 500, -10, picture, stage)).toEqual({ scale: 2, x: 25, y: -10 });
  expect(shift(FITTING, 30, 30, picture, stage)).toEqual(FITTING);
});

it("tells a swipe from a scroll", () => {
  expect(swipeOf(-90, 10)).toBe("next");
  expect(swipeOf(90, -20)).toBe("previous");
  expect(swipeOf(-90, 80)).toBeUndefined();
  expect(swipeOf(-20, 0)).toBeUndefined();
});
