import { expect, it } from "vitest";
import { columnsAt, GAP_PX, HEAD_PX, sizeCount, WallLayout } from "./wallLayout.ts";

/** Months of 7, 1 and 4 photos, three in a row of 306 px: each 100 px wide. */
const wall = () => new WallLayout([7, 1, 4], 3, 306);

it("stands by the counts alone", () => {
  const { cell, line, total, height } = wall();
  expect([cell, line, total]).toEqual([100, 103, 12]);
  const rows = 3 + 1 + 2;
  expect(height).toBe(3 * (HEAD_PX + 16 - GAP_PX) + rows * line);
  expect(wall().topOf(1)).toBe(HEAD_PX + 3 * line - GAP_PX + 16);
  expect([0, 1, 2, 3].map((month) => wall().firstOf(month))).toEqual([0, 7, 8, 12]);
});

it("draws only what is in sight or near", () => {
  const many = new WallLayout(Array.from({ length: 400 }, () => 125), 5, 800);
  const rows = many.rowsInSight(many.topOf(200), 900);
  expect(rows.length).toBeLessThan(16);
  expect(rows.some((row) => row.month === 200 && row.row === 0)).toBe(true);
  expect(rows[0]?.month).toBe(199);
  expect(many.monthsInSight(0, 900)).toEqual({ from: 0, to: 1 });
  expect(new WallLayout([], 5, 800).rowsInSight(0, 900)).toEqual([]);
});

it("cuts rows at the end of a month", () => {
  const rows = wall().rowsInSight(0, 5000);
  expect(rows.map(({ from, to }) => [from, to])).toEqual([[0, 3], [3, 6], [6, 7], [7, 8], [8, 11], [11, 12]]);
});

it("finds a photo at a point, and the point of a photo", () => {
  const one = wall();
  expect(one.indexAt(150, HEAD_PX + 110)).toBe(4);
  expect(one.indexAt(290, HEAD_PX + 2 * 103 + 5)).toBe(6);
  expect(one.indexAt(5, one.topOf(1) + 2)).toBe(7);
  expect(one.rowTopOf(11)).toBe(one.topOf(2) + HEAD_PX + 103);
  expect([0, 6, 7, 8, 11].map((index) => one.monthOf(index))).toEqual([0, 0, 1, 2, 2]);
});

it("steps across months in the same column", () => {
  const one = wall();
  expect(one.step(5, "down", 3)).toBe(6);
  expect(one.step(6, "down", 3)).toBe(7);
  expect(one.step(7, "down", 3)).toBe(8);
  expect(one.step(9, "up", 3)).toBe(7);
  expect(one.step(8, "down", 3)).toBe(11);
  expect(one.step(11, "down", 3)).toBe(11);
  expect(one.step(1, "up", 3)).toBe(0);
  expect(one.step(0, "pageDown", 4)).toBe(8);
  expect(one.step(11, "pageUp", 50)).toBe(0);
  expect([one.step(0, "last", 3), one.step(9, "first", 3)]).toEqual([11, 0]);
});

it("has three to five in a row on a phone, and more where there is room", () => {
  expect([0, 1, 2].map((size) => columnsAt(size, 374))).toEqual([5, 4, 3]);
  expect(sizeCount(374)).toBe(3);
  const [desk, wide] = [columnsAt(2, 1150), columnsAt(2, 3500)];
  expect(desk).toBeGreaterThan(5);
  expect(wide).toBeGreaterThan(desk);
  // Not in step with the width: they grow, too.
  expect(wide / desk).toBeLessThan(3500 / 1150);
});
