import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Countdown } from "./countdown.svelte.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("counts whole seconds down to nothing", () => {
  const countdown = new Countdown();
  countdown.start(3);
  expect(countdown.seconds).toBe(3);
  vi.advanceTimersByTime(1000);
  expect(countdown.seconds).toBe(2);
  vi.advanceTimersByTime(1900);
  expect(countdown.seconds).toBe(1);
  vi.advanceTimersByTime(250);
  expect(countdown.seconds).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

it("begins anew when started again, and stops when told", () => {
  const countdown = new Countdown();
  countdown.start(60);
  countdown.start(2);
  expect(countdown.seconds).toBe(2);
  countdown.stop();
  expect(countdown.seconds).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
