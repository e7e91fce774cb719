import { expect, it, vi } from "vitest";
import { jobs } from "../state/jobs.svelte.ts";
import { Looking } from "./looking.svelte.ts";
import type { PhotoSource } from "./source.ts";
import { Timeline } from "./timeline.svelte.ts";

it("is over once all folders are known, even if nobody tells that the work has ended", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { hidden: false });
  vi.spyOn(jobs, "follow").mockReturnValue(new Promise(() => undefined));
  let complete = false;
  const source: PhotoSource = {
    thumb: () => "",
    months: () => Promise.resolve({ months: [{ month: "2026-08", count: 1 }], complete }),
    photos: () => Promise.resolve({ items: [] }),
    scan: () => Promise.resolve("1"),
    mayWrite: () => true,
  };
  const timeline = new Timeline(source);
  const looking = new Looking(timeline);
  const stop = looking.start();
  await timeline.load();
  expect(looking.isOn).toBe(true);
  complete = true;
  await vi.advanceTimersByTimeAsync(5000);
  expect(looking.isOn).toBe(false);
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
