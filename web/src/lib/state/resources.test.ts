import { expect, it } from "vitest";
import { addSample, numberIn, type Sample, warningsIn, writtenIn } from "./resources.svelte.ts";

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

it("says warnings in its own words where it has some", () => {
  const known = { code: "too_hot", text: "Hot." };
  const newer = { code: "of_tomorrow", text: "New." };
  const values = { ...sample(0).values, warnings: [known, newer, null, { code: 1 }] };
  expect(warningsIn(values)).toEqual([
    { ...known, key: "dashboard.tooHot" },
    { ...newer, key: undefined },
  ]);
  expect(warningsIn(undefined)).toEqual([]);
});

it("knows what was written to which drive", () => {
  const card = { drive: "mmcblk0", bytes: 5, since: "2026-11-25T00:00:00Z" };
  const values = { ...sample(0).values, written: [card, { drive: "sda" }] };
  expect(writtenIn(values)).toEqual([card]);
  expect(writtenIn(sample(0).values)).toEqual([]);
});
