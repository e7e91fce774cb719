import { beforeEach, expect, it, vi } from "vitest";
import { WakeLock } from "./wakeLock.ts";

let listeners: (() => void)[];
let locks: { release: ReturnType<typeof vi.fn> }[];
const settle = () => new Promise((go) => setImmediate(go));

beforeEach(() => {
  listeners = [];
  locks = [];
  const request = () => {
    const lock = { release: vi.fn(() => Promise.resolve()) };
    locks.push(lock);
    return Promise.resolve(lock);
  };
  vi.stubGlobal("navigator", { wakeLock: { request } });
  vi.stubGlobal("document", { hidden: false, addEventListener: (_: string, listener: () => void) => listeners.push(listener) });
});

it("keeps the screen on while anybody wants that", async () => {
  const lock = new WakeLock();
  const [first, second] = [lock.hold(), lock.hold()];
  await settle();
  expect(locks).toHaveLength(1);
  first();
  first();
  expect(locks[0]?.release).not.toHaveBeenCalled();
  second();
  expect(locks[0]?.release).toHaveBeenCalled();
  // Let go of before it was granted.
  lock.hold()();
  await settle();
  expect(locks[1]?.release).toHaveBeenCalled();
});

it("takes it again when the page is looked at again, and only then", async () => {
  const lock = new WakeLock();
  const release = lock.hold();
  await settle();
  for (const seen of listeners) seen();
  await settle();
  expect(locks).toHaveLength(2);
  release();
  for (const seen of listeners) seen();
  await settle();
  expect(locks).toHaveLength(2);
});

it("holds one lock alone when it is wanted again before the first was granted", async () => {
  const lock = new WakeLock();
  lock.hold()();
  const release = lock.hold();
  await settle();
  expect(locks).toHaveLength(2);
  release();
  await settle();
  for (const one of locks) expect(one.release).toHaveBeenCalled();
});

it("does without where there is none", async () => {
  vi.stubGlobal("navigator", {});
  new WakeLock().hold()();
  vi.stubGlobal("navigator", { wakeLock: { request: () => Promise.reject(new Error("battery")) } });
  new WakeLock().hold()();
  await settle();
  expect(locks).toEqual([]);
});
