import { expect, it, vi } from "vitest";
import type { Photo, PhotoSource } from "./source.ts";
import { Timeline } from "./timeline.svelte.ts";

/** Photos by month, told in pages of two. */
function source(all: Record<string, string[]>) {
  const asked: string[] = [];
  const one: PhotoSource = {
    thumb: () => "",
    months: () =>
      Promise.resolve({
        months: Object.entries(all).map(([month, paths]) => ({ month, count: paths.length })),
        complete: true,
      }),
    photos: (month, after, signal) => {
      signal.throwIfAborted();
      asked.push(`${month} ${after ?? ""}`);
      const from = Number(after ?? 0);
      const items = (all[month] ?? []).slice(from, from + 2).map((path) => ({ path, taken: `${month}-01T00:00:00` }) as Photo);
      const next = from + 2;
      return Promise.resolve({ items, ...(next < (all[month] ?? []).length && { next: String(next) }) });
    },
    scan: undefined,
    mayWrite: () => true,
  };
  return { one, asked };
}

it("knows the counts at once and fetches what is looked at, page by page", async () => {
  const { one, asked } = source({ "2026-08": ["a", "b", "c"], "2026-07": ["d"] });
  const timeline = new Timeline(one);
  await timeline.load();
  expect(timeline.counts).toEqual([3, 1]);
  expect(timeline.of(0)).toBeUndefined();
  timeline.look(0, 1);
  await vi.waitFor(() => expect(timeline.of(0)?.length).toBe(3));
  expect(asked).toEqual(["2026-08 ", "2026-08 2"]);
  timeline.look(0, 1);
  expect(asked.length).toBe(2);
});

it("breaks off what is not looked at any more", async () => {
  const { one } = source({ "2026-08": ["a"], "2026-07": ["b"] });
  const signals: AbortSignal[] = [];
  const timeline = new Timeline({
    ...one,
    photos: (_month, _after, signal) => {
      signals.push(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));
    },
  });
  await timeline.load();
  timeline.look(0, 1);
  timeline.look(1, 2);
  expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
});

it("takes photos off at once, and the month with its last one", async () => {
  const all = { "2026-08": ["a", "b"], "2026-07": ["c"] };
  const { one } = source(all);
  const timeline = new Timeline(one);
  await timeline.load();
  await timeline.reach(0, 2);
  timeline.takeOff(["b", "c"]);
  expect(timeline.counts).toEqual([1]);
  expect(timeline.of(0)?.map(({ path }) => path)).toEqual(["a"]);
});
