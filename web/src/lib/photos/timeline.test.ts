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

it("knows of photos that have come to a month that was looked at before, and fetches them", async () => {
  const all = { "2026-08": ["a"], "2026-07": ["b"] };
  const { one } = source(all);
  const timeline = new Timeline(one);
  await timeline.load();
  await timeline.reach(0, 2);
  all["2026-07"].push("c", "d");
  await timeline.load();
  expect([timeline.counts, timeline.total]).toEqual([[1, 3], 4]);
  await timeline.reachPhotos(0, 3);
  expect(timeline.between(0, 2).map(({ path }) => path)).toEqual(["a", "b", "c"]);
  expect(timeline.between(2, 9).map(({ path }) => path)).toEqual(["c", "d"]);
  expect(timeline.of(1)?.map(({ path }) => path)).toEqual(["b", "c", "d"]);
});

it("believes the photos that came where they were counted otherwise", async () => {
  const { one } = source({ "2026-08": ["a", "b"], "2026-07": ["c"] });
  const timeline = new Timeline({
    ...one,
    months: () => Promise.resolve({ months: [{ month: "2026-08", count: 3 }, { month: "2026-07", count: 1 }], complete: true }),
  });
  await timeline.load();
  await timeline.reach(0, 1);
  expect(timeline.counts).toEqual([2, 1]);
  await timeline.load();
  expect(timeline.counts).toEqual([2, 1]);
});

it("waits for an answer before it asks again, however much changes meanwhile", async () => {
  vi.useFakeTimers();
  const { one } = source({ "2026-08": ["a"] });
  const answers: (() => void)[] = [];
  const timeline = new Timeline({
    ...one,
    months: async (signal) => {
      await new Promise<void>((resolve) => answers.push(resolve));
      signal.throwIfAborted();
      return one.months(signal);
    },
  });
  const first = timeline.load();
  for (let step = 0; step < 5; step += 1) {
    timeline.refresh();
    await vi.advanceTimersByTimeAsync(1100);
  }
  expect(answers.length).toBe(1);
  answers.shift()?.();
  await first;
  expect(timeline.total).toBe(1);
  await vi.advanceTimersByTimeAsync(1100);
  expect(answers.length).toBe(1);
  vi.useRealTimers();
});

it("tells when what was taken off is out of the next answer, and waits no longer than anybody looks", async () => {
  vi.useFakeTimers();
  const { one } = source({ "2026-08": ["a", "b"] });
  const answers: (() => void)[] = [];
  const timeline = new Timeline({
    ...one,
    months: async (signal) => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return one.months(signal);
    },
  });
  const first = timeline.load();
  answers.shift()?.();
  await first;
  const told: string[] = [];
  timeline.takeOff(["a"]);
  void timeline.settle(["a"]).then(() => told.push("answered"));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(told).toEqual([]);
  answers.shift()?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(["answered"]);
  void timeline.settle(["b"]).then(() => told.push("left"));
  timeline.stop();
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(["answered", "left"]);
  vi.useRealTimers();
});

it("keeps what is waited for until all of it is there, whatever is looked at meanwhile", async () => {
  const months = Array.from({ length: 8 }, (_, at) => `2026-0${8 - at}`);
  // More than is kept of what nobody looks at.
  const all = Object.fromEntries(months.map((month) => [month, Array.from({ length: 2000 }, (_, at) => `${month}/${at}`)]));
  const timeline = new Timeline({
    ...source(all).one,
    photos: (month) => Promise.resolve({ items: (all[month] ?? []).map((path) => ({ path, taken: `${month}-01T00:00:00` }) as Photo) }),
  });
  await timeline.load();
  const told: number[] = [];
  const onprogress = (count: number) => {
    told.push(count);
    timeline.look(7, 8);
  };
  await timeline.reachPhotos(0, 15_999, { onprogress });
  expect(told).toEqual(months.map((_, at) => 2000 * (at + 1)));
  expect(timeline.between(0, 15_999).length).toBe(16_000);
});

it("fetches no more for those who called it off", async () => {
  const { one, asked } = source({ "2026-08": ["a"], "2026-07": ["b"], "2026-06": ["c"] });
  const timeline = new Timeline(one);
  await timeline.load();
  const leaving = new AbortController();
  await timeline.reachPhotos(0, 2, { signal: leaving.signal, onprogress: () => leaving.abort() });
  expect(asked).toEqual(["2026-08 "]);
});
