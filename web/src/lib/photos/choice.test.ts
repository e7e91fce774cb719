import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Choice } from "./choice.svelte.ts";
import type { Photo } from "./source.ts";

/** A wall of so many photos, all but some of which are there at first. `come`: turn up while others are fetched. */
function wall(count: number, absent: number[] = [], come: { at: number; path: string }[] = []) {
  const all = Array.from({ length: count }, (_, at) => `${at}.jpg`);
  const gone = new Set(absent.map((at) => `${at}.jpg`));
  const photoAt = (index: number) => {
    const path = all[index];
    return path === undefined || gone.has(path) ? undefined : ({ path } as Photo);
  };
  const reach = (from: number, to: number) => {
    for (const path of all.slice(from, to + 1)) gone.delete(path);
    for (const { at, path } of come.splice(0)) all.splice(at, 0, path);
    return Promise.resolve();
  };
  return new Choice({
    photoAt,
    between: (from, to) => all.slice(from, to + 1).flatMap((path) => (gone.has(path) ? [] : ({ path } as Photo))),
    indexOf: (path) => (gone.has(path) ? -1 : all.indexOf(path)),
    total: () => all.length,
    reach,
  });
}

const paths = (choice: Choice) => [...choice.photos.keys()];

it("selects one more or one less", () => {
  const choice = wall(5);
  choice.toggle(3);
  choice.toggle(1);
  expect(paths(choice)).toEqual(["3.jpg", "1.jpg"]);
  choice.toggle(3);
  expect(paths(choice)).toEqual(["1.jpg"]);
});

it("stretches over what has to be fetched first, and shrinks again", async () => {
  const choice = wall(9, [4, 5]);
  choice.toggle(8);
  choice.toggle(2);
  await choice.stretchTo(6);
  expect(paths(choice)).toEqual(["8.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg"]);
  await choice.stretchTo(1);
  expect(paths(choice)).toEqual(["8.jpg", "2.jpg", "1.jpg"]);
});

it("stretches between the same photos when others come on the way", async () => {
  const choice = wall(6, [2, 3], [{ at: 0, path: "new.jpg" }, { at: 4, path: "between.jpg" }]);
  choice.begin(1);
  await choice.stretchTo(4);
  expect(paths(choice)).toEqual(["1.jpg", "2.jpg", "between.jpg", "3.jpg", "4.jpg"]);
  expect(choice.cursor).toBe(6);
});

it("stretches to the end, wherever that is by then", async () => {
  const choice = wall(3, [2], [{ at: 3, path: "last.jpg" }]);
  choice.begin(0);
  await choice.stretchTo(2);
  expect(paths(choice)).toEqual(["0.jpg", "1.jpg", "2.jpg", "last.jpg"]);
});

it("takes the last of two stretches, whichever is ready first", async () => {
  const choice = wall(9);
  choice.begin(0);
  const slow = choice.stretchTo(8);
  const last = choice.stretchTo(1);
  await Promise.all([slow, last]);
  expect(paths(choice)).toEqual(["0.jpg", "1.jpg"]);
});

it("selects a whole month, and none of it the second time", async () => {
  const choice = wall(9);
  await choice.toggleAll(2, 4);
  expect(paths(choice)).toEqual(["2.jpg", "3.jpg", "4.jpg"]);
  await choice.toggleAll(2, 4);
  expect(paths(choice)).toEqual([]);
});

it("selects nothing once that is called off", async () => {
  const choice = wall(9);
  const all = choice.toggleAll(0, 8);
  choice.clear();
  await all;
  expect(paths(choice)).toEqual([]);
});

/** A wall whose photos come one after the other, each when it is let through. */
function slowWall(count: number) {
  const steps: (() => void)[] = [];
  const choice = new Choice({
    photoAt: (index) => ({ path: `${index}.jpg` }) as Photo,
    between: (from, to) => Array.from({ length: to - from + 1 }, (_, at) => ({ path: `${from + at}.jpg` }) as Photo),
    indexOf: (path) => parseInt(path, 10),
    total: () => count,
    reach: async (from, to, { signal, onprogress }) => {
      for (let there = 1; there <= to - from + 1 && !signal?.aborted; there += 1) {
        await new Promise<void>((resolve) => steps.push(resolve));
        onprogress?.(there);
      }
    },
  });
  const letThrough = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    steps.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
  };
  return { choice, letThrough };
}

describe("a long stretch", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("tells how far it is, but not where it is there at once", async () => {
    const { choice, letThrough } = slowWall(3);
    const done = choice.toggleAll(0, 2);
    await letThrough(100);
    expect(choice.waiting).toBeUndefined();
    await letThrough(150);
    expect(choice.waiting).toEqual({ count: 2, all: 3 });
    expect(choice.count).toBe(0);
    await letThrough(10);
    await done;
    expect(choice.waiting).toBeUndefined();
    expect(choice.count).toBe(3);
  });

  it("is called off, and leaves what was selected", async () => {
    const { choice, letThrough } = slowWall(3);
    choice.toggle(1);
    const done = choice.toggleAll(0, 2);
    await letThrough(300);
    expect(choice.waiting).toEqual({ count: 1, all: 3 });
    choice.callOff();
    expect(choice.waiting).toBeUndefined();
    await letThrough(10);
    await done;
    expect(paths(choice)).toEqual(["1.jpg"]);
    expect(choice.waiting).toBeUndefined();
  });
});
