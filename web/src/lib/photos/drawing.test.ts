import { expect, it } from "vitest";
import { fitted } from "./drawing.ts";

it.each([
  [4000, 3000, 512, 384],
  [300, 200, 300, 200],
  [100_000, 10, 512, 1],
  [0, 0, 1, 1],
])("fits %i x %i into what larder takes", (width, height, across, down) => {
  expect(fitted(width, height)).toEqual([across, down]);
});
