import { expect, it } from "vitest";
import { Pace } from "./pace.ts";

it("says how fast it goes, once it can", () => {
  const pace = new Pace();
  expect(pace.perSecond()).toBeUndefined();
  pace.add(100, 0);
  pace.add(100, 100);
  expect(pace.perSecond()).toBeUndefined();
  pace.add(900, 1000);
  expect(pace.perSecond()).toBe(1000);
});

it("forgets what was long ago", () => {
  const pace = new Pace();
  pace.add(0, 0);
  pace.add(1_000_000, 1000);
  pace.add(0, 20_000);
  pace.add(10, 21_000);
  expect(pace.perSecond()).toBe(10);
});
