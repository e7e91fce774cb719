import { expect, it } from "vitest";
import { tilesFor } from "./tiles.ts";

it("has more columns in wider rooms, and wider tiles, too", () => {
  const [phone, desk, wide] = [tilesFor(374, 2), tilesFor(1140, 2), tilesFor(3500, 2)];
  expect(phone.columns).toBe(2);
  expect(desk.columns).toBe(6);
  expect(wide.columns).toBeGreaterThan(desk.columns);
  expect(wide.face).toBeGreaterThan(desk.face);
});

it("shows pictures in the shape of four to three", () => {
  const { height, face } = tilesFor(1140, 2);
  expect(height - Math.round((face * 3) / 4)).toBe(68);
  expect(tilesFor(0, 2).face).toBe(40);
});
