import { expect, it } from "vitest";
import { cellsInBand, linesInSight, scrollToShow, slotCount, Slots } from "./virtual.ts";

it("draws what is in sight and a few lines around", () => {
  expect(linesInSight(0, 480, 48, 20_000)).toEqual({ from: 0, to: 18 });
  expect(linesInSight(48_000, 480, 48, 20_000)).toEqual({ from: 992, to: 1018 });
  expect(linesInSight(960_000, 480, 48, 20_000)).toEqual({ from: 19_992, to: 20_000 });
  expect(linesInSight(0, 480, 48, 3)).toEqual({ from: 0, to: 3 });
  expect(linesInSight(-20, 480, 48, 0)).toEqual({ from: 0, to: 0 });
});

it("has a slot for every line that is drawn", () => {
  for (const scrollTop of [0, 1, 47, 48, 5000.5, 959_999]) {
    const { from, to } = linesInSight(scrollTop, 500, 48, 20_000);
    expect(to - from).toBeLessThanOrEqual(slotCount(500, 48));
  }
});

it("lets a name keep its slot, and gives free ones to others", () => {
  const slots = new Slots();
  expect(slots.of(["a", "b", "c"])).toEqual([0, 1, 2]);
  expect(slots.of(["b", "c", "d"])).toEqual([1, 2, 0]);
  expect(slots.of(["new", "b", "c", "d"])).toEqual([3, 1, 2, 0]);
  expect(slots.of(["x", "y"])).toEqual([0, 1]);
});

it("scrolls no further than it must", () => {
  expect(scrollToShow(2, 0, 480, 48)).toBe(0);
  expect(scrollToShow(2, 200, 480, 48)).toBe(96);
  expect(scrollToShow(20, 0, 480, 48)).toBe(528);
});

it("knows what a rubber band touches", () => {
  const band = { left: 0, top: 50, right: 500, bottom: 150 };
  expect(cellsInBand(band, 1, 800, 48, 10)).toEqual([1, 2, 3]);
  expect(cellsInBand({ left: 150, top: 0, right: 250, bottom: 120 }, 4, 100, 100, 6)).toEqual([
    1, 2, 5,
  ]);
  expect(cellsInBand({ left: 0, top: 900, right: 9, bottom: 950 }, 1, 800, 48, 10)).toEqual([]);
});
