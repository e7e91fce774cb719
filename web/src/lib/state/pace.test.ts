import { expect, it } from "vitest";
import { Pace } from "./pace.ts";

it("says how fast it goes, once it can", () => {
  const pace = new Pace();
  expect(pace.perSecond(0)).toBeUndefined();
  pace.add(100, 0);
  pace.add(100, 100);
  expect(pace.perSecond(100)).toBeUndefined();
  pace.add(900, 1000);
  expect(pace.perSecond(1000)).toBe(1000);
});

it("forgets what was long ago", () => {
  const pace = new Pace();
  pace.add(0, 0);
  pace.add(1_000_000, 1000);
  pace.add(0, 20_000);
  pace.add(10, 21_000);
  expect(pace.perSecond(21_000)).toBe(10);
});

it("says nothing any more once nothing moves", () => {
  const pace = new Pace();
  pace.add(0, 0);
  pace.add(5000, 1000);
  expect(pace.perSecond(3000)).toBe(5000);
  expect(pace.perSecond(6000)).toBeUndefined();
});
