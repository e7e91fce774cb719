import { beforeEach, describe, expect, it, vi } from "vitest";
import { LockClaims, MarkClaims } from "./claims.ts";

const storage = new Map<string, string>();

beforeEach(() => {
  storage.clear();
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => storage.get(name) ?? null,
    setItem: (name: string, value: string) => storage.set(name, value),
  });
});

describe("marks in the storage", () => {
  it("let one window have it, and the next one after it", async () => {
    const [one, two] = [new MarkClaims("one"), new MarkClaims("two")];
    const release = await one.tryNow("a");
    expect(release).toBeDefined();
    expect(await two.tryNow("a")).toBeUndefined();
    expect(await one.tryNow("a"), "not twice in one window either").toBeUndefined();
    expect([await one.isTaken("a"), await two.isTaken("a"), await two.isTaken("b")]).toEqual([true, true, false]);
    release?.();
    const again = await two.tryNow("a");
    expect(again).toBeDefined();
    again?.();
  });

  it("do not outlive a window that ended without a word", async () => {
    vi.useFakeTimers();
    try {
      const [one, two] = [new MarkClaims("one"), new MarkClaims("two")];
      await one.tryNow("a");
      // It lives: its mark is renewed.
      vi.advanceTimersByTime(100_000);
      expect(await two.tryNow("a")).toBeUndefined();
      vi.clearAllTimers();
      vi.setSystemTime(Date.now() + 200_000);
      expect(await two.tryNow("a")).toBeDefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it("are waited for until called off", async () => {
    vi.useFakeTimers();
    try {
      const [one, two] = [new MarkClaims("one"), new MarkClaims("two")];
      const release = await one.tryNow("a");
      const stop = new AbortController();
      const waiting = expect(two.wait("a", stop.signal)).rejects.toThrow();
      const patient = two.wait("a", new AbortController().signal);
      stop.abort();
      await vi.advanceTimersByTimeAsync(5000);
      await waiting;
      release?.();
      await vi.advanceTimersByTimeAsync(5000);
      (await patient)();
      expect(await one.isTaken("a")).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it("are not taken back by a tab that slept for too long", async () => {
    vi.useFakeTimers();
    try {
      const [one, two] = [new MarkClaims("one"), new MarkClaims("two")];
      await one.tryNow("a");
      storage.set("larder.claims", JSON.stringify({ a: { tab: "two", at: Date.now() } }));
      await vi.advanceTimersByTimeAsync(3000);
      expect(one.isOwn("a")).toBe(false);
      expect(await two.tryNow("a")).toBeDefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it("survive a storage that holds nonsense", async () => {
    for (const nonsense of ["{", "null", "[1]"]) {
      storage.set("larder.claims", nonsense);
      const release = await new MarkClaims("one").tryNow("a");
      expect(release, nonsense).toBeDefined();
      release?.();
    }
  });
});

describe("the browser's locks", () => {
  it("are held until they are let go of", async () => {
    const held = new Set<string>();
    const locks = {
      query: () => Promise.resolve({ held: [...held].map((name) => ({ name })) }),
      request: async (name: string, options: LockOptions, hold: (lock: object | null) => unknown) => {
        if (held.has(name) && options.ifAvailable) return hold(null);
        held.add(name);
        await hold({});
        held.delete(name);
      },
    };
    const claims = new LockClaims(locks as unknown as LockManager);
    const release = await claims.tryNow("a");
    expect(await claims.isTaken("a")).toBe(true);
    expect(await claims.tryNow("a")).toBeUndefined();
    release?.();
    await vi.waitUntil(() => held.size === 0);
    const waited = await claims.wait("a", new AbortController().signal);
    expect(await claims.isTaken("a")).toBe(true);
    waited();
  });
});
