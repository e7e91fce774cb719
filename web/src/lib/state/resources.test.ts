import { expect, it } from "vitest";
import type { Shape } from "../api/call.ts";
import { addSample, historyIn, mergeSamples, numberIn, type Sample, warningsIn } from "./resources.svelte.ts";

type Told = Shape<"Warning">;

const sample = (atMs: number): Sample => ({ atMs, values: { cpu: 1, memory: 2, disk: 3 } });

it("keeps ten minutes", () => {
  const samples = addSample([sample(0), sample(1000)], sample(600_500));
  expect(samples.map((one) => one.atMs)).toEqual([1000, 600_500]);
});

it("begins with what larder remembers, by this page's clock", () => {
  const now = 5_000_000;
  const then = (t: number, cpu: number) => ({
    t, cpu, memory: 0, disk: 0, temperature: null, network_received_bytes_per_s: 0, network_sent_bytes_per_s: 0,
  });
  const history = [then(1000, 7), then(998, 6), then(300, 5)];
  const before = historyIn(history, now);
  // Of more than ten minutes ago nothing is shown.
  expect(before.map((one) => [one.atMs, one.values.cpu])).toEqual([[now - 2000, 6], [now, 7]]);
  expect(historyIn(undefined)).toEqual([]);
  // What this page has watched itself comes after it.
  expect(mergeSamples(before, [sample(now - 1000), sample(now + 1000)]).map((one) => one.atMs))
    .toEqual([now - 2000, now - 1000, now + 1000]);
  expect(mergeSamples(before, [])).toEqual(before);
});

it("knows numbers, and that there are none", () => {
  expect(numberIn(sample(0).values, "cpu")).toBe(1);
  expect(numberIn({ cpu: 1, memory: 1, disk: 1, temperature: null }, "temperature")).toBeUndefined();
  expect(numberIn(undefined, "cpu")).toBeUndefined();
});

it("says warnings in its own words where it has some", () => {
  const known: Told = { code: "too_hot", text: "Hot." };
  const newer = { code: "of_tomorrow", text: "New." } as unknown as Told;
  const values = { ...sample(0).values, warnings: [known, newer] };
  expect(warningsIn(values)).toEqual([
    { ...known, key: "dashboard.tooHot" },
    { ...newer, key: undefined },
  ]);
  expect(warningsIn(undefined)).toEqual([]);
});
