import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Toasts } from "./toasts.svelte.ts";

const UNDO = { label: "Undo", run: () => undefined };
const texts = (toasts: Toasts) => toasts.all.map(({ text }) => text);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a message", () => {
  it("goes by itself, later where it offers something", () => {
    const toasts = new Toasts();
    toasts.say("done");
    toasts.say("deleted", UNDO);
    vi.advanceTimersByTime(5500);
    expect(texts(toasts)).toEqual(["done", "deleted"]);
    vi.advanceTimersByTime(500);
    expect(texts(toasts)).toEqual(["deleted"]);
    vi.advanceTimersByTime(6000);
    expect(texts(toasts)).toEqual([]);
    // Nothing runs on.
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that offers a way back goes not before what it takes back is on show", async () => {
    const toasts = new Toasts();
    let show: (value?: unknown) => void = () => undefined;
    toasts.say("deleted", UNDO, new Promise((resolve) => (show = resolve)));
    await vi.advanceTimersByTimeAsync(40_000);
    expect(texts(toasts)).toEqual(["deleted"]);
    show();
    await vi.advanceTimersByTimeAsync(11_500);
    expect(texts(toasts)).toEqual(["deleted"]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(texts(toasts)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits for no view that is never shown, nor for one that fails", async () => {
    const toasts = new Toasts();
    toasts.say("never", UNDO, new Promise(() => undefined));
    toasts.say("failed", UNDO, Promise.reject(new Error("no")));
    await vi.advanceTimersByTimeAsync(13_000);
    expect(texts(toasts)).toEqual(["never"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(texts(toasts)).toEqual([]);
  });

  it("stays as long as somebody is at one", () => {
    const toasts = new Toasts();
    let isHeld = true;
    const stop = toasts.showAt({ isHeld: () => false });
    const stopCover = toasts.showAt({ isHeld: () => isHeld });
    toasts.say("done");
    vi.advanceTimersByTime(60_000);
    expect(texts(toasts)).toEqual(["done"]);
    isHeld = false;
    vi.advanceTimersByTime(5500);
    expect(texts(toasts)).toEqual(["done"]);
    // The place that covered the other is gone.
    stopCover();
    vi.advanceTimersByTime(500);
    expect(texts(toasts)).toEqual([]);
    stop();
  });

  it("is said once where it complains, and four are read at once", () => {
    const toasts = new Toasts();
    for (const text of ["a", "b", "a", "c", "d", "e"]) toasts.complain(text);
    expect(texts(toasts)).toEqual(["a", "c", "d", "e"]);
    toasts.dismiss(toasts.all[0]?.id ?? 0);
    expect(texts(toasts)).toEqual(["c", "d", "e"]);
  });
});
