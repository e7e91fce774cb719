import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Job } from "../api/types.ts";
import { jobs } from "../state/jobs.svelte.ts";
import { Looking } from "./looking.svelte.ts";
import type { PhotoSource } from "./source.ts";
import { Timeline } from "./timeline.svelte.ts";

/** Photos of which all are known as soon as `state` says so. */
function lookingAt(state: { complete: boolean; asked: number; scans: number }) {
  const source: PhotoSource = {
    thumb: () => "",
    months: () => {
      state.asked += 1;
      return Promise.resolve({ months: [{ month: "2026-08", count: 1 }], complete: state.complete });
    },
    photos: () => Promise.resolve({ items: [] }),
    scan: () => {
      state.scans += 1;
      return Promise.resolve("1");
    },
    mayWrite: () => true,
  };
  const timeline = new Timeline(source);
  return { timeline, looking: new Looking(timeline) };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { hidden: false });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it("is over once all folders are known, even if nobody tells that the work has ended", async () => {
  vi.spyOn(jobs, "follow").mockReturnValue(new Promise(() => undefined));
  const state = { complete: false, asked: 0, scans: 0 };
  const { timeline, looking } = lookingAt(state);
  const stop = looking.start();
  await timeline.load();
  expect(looking.isOn).toBe(true);
  state.complete = true;
  await vi.advanceTimersByTimeAsync(5000);
  expect(looking.isOn).toBe(false);
  stop();
});

it("hears of what a busy machine notes late", async () => {
  vi.spyOn(jobs, "follow").mockResolvedValue({} as Job);
  const state = { complete: false, asked: 0, scans: 0 };
  const { timeline, looking } = lookingAt(state);
  const stop = looking.start();
  await timeline.load();
  await vi.advanceTimersByTimeAsync(45_000);
  expect(timeline.isComplete).toBe(false);
  state.complete = true;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(timeline.isComplete).toBe(true);
  stop();
});

it("asks again while what has changed is not noted, but not for ever", async () => {
  vi.spyOn(jobs, "follow").mockResolvedValue({} as Job);
  const state = { complete: false, asked: 0, scans: 0 };
  const { timeline, looking } = lookingAt(state);
  const stop = looking.start();
  await timeline.load();
  await vi.advanceTimersByTimeAsync(10_000);
  // The folders have been looked through, and still not all is known.
  expect([looking.isOn, state.scans]).toEqual([false, 1]);
  expect(state.asked).toBeGreaterThan(3);
  state.complete = true;
  await vi.advanceTimersByTimeAsync(5000);
  const { asked } = state;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.asked).toBe(asked);
  state.complete = false;
  await timeline.load();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(state.asked - asked).toBeLessThan(20);
  stop();
});
