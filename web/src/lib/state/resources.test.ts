import { expect, it } from "vitest";
import { addSample, numberIn, type Sample } from "./resources.svelte.ts";

const sample = (atMs: number): Sample => ({ atMs, values: { cpu: 1, memory: 2, disk: 3 } });

it("keeps ten minutes", () => {
  const samples = addSample([sample(0), sample(1000)], sample(600_500));
  expect(samples.map((one) => one.atMs)).toEqual([1000, 600_500]);
});

it("knows numbers, and that there are none", () => {
  expect(numberIn(sample(0).values, "cpu")).toBe(1);
  expect(numberIn({ cpu: 1, memory: 1, disk: 1, temperature: null }, "temperature")).toBeUndefined();
  expect(numberIn(undefined, "cpu")).toBeUndefined();
});
