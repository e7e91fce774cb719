import { beforeEach, describe, expect, it, vi } from "vitest";
import { readFacts } from "../api/files.ts";
import { upload } from "../api/http.ts";
import { Problem } from "../api/problem.ts";
import { Collisions } from "./collisions.svelte.ts";
import { Uploads } from "./uploads.svelte.ts";

vi.mock("../api/http.ts", () => ({ upload: vi.fn() }));
vi.mock("../api/files.ts", () => ({ readFacts: vi.fn() }));
// Another try comes at once: these tests are not about patience.
vi.mock("./retry.ts", async (original) => {
  const { keepTrying } = await original<typeof import("./retry.ts")>();
  const now = () => Promise.resolve();
  return {
    keepTrying: (...[action, onPassing, signal]: Parameters<typeof keepTrying>) =>
      keepTrying(action, onPassing, signal, now),
  };
});

type Call = Parameters<typeof upload> & { finish: () => void; fail: (cause: Error) => void };
let calls: Call[] = [];

beforeEach(() => {
  calls = [];
  vi.mocked(upload).mockImplementation(
    (...args) =>
      new Promise((resolve, reject) => {
        calls.push(Object.assign(args, { finish: resolve, fail: reject }));
      }),
  );
});

function items(...names: string[]) {
  return names.map((name) => ({
    folder: "docs",
    file: new File(["four"], name.replace("!", "")),
    // In these tests a name with an exclamation mark is taken.
    there: name.endsWith("!") ? { size: 4, modified: "2026-01-02T03:04:05Z" } : undefined,
  }));
}

/** Lets everything that can go on go on. */
const settle = () => new Promise((go) => setImmediate(go));
const sent = () => calls.map(([, file, ifExists]) => `${file.name} ${ifExists}`);

describe("the upload queue", () => {
  it("runs three at once and the next when one is done", async () => {
    const queue = new Uploads(new Collisions());
    const stored: string[] = [];
    queue.onStored = (folder) => stored.push(folder);
    await queue.add(items("a", "b", "c", "d"));
    expect(sent()).toEqual(["a error", "b error", "c error"]);
    calls[0]?.finish();
    await settle();
    expect(sent()).toEqual(["a error", "b error", "c error", "d error"]);
    expect(queue.all.map((one) => one.state)).toEqual(["done", "running", "running", "running"]);
    expect(stored).toEqual(["docs"]);
    expect(queue.isBusy).toBe(true);
    for (const call of calls.slice(1)) call.finish();
    await settle();
    expect(queue.isBusy).toBe(false);
    queue.clear();
    expect(queue.all).toEqual([]);
  });

  it("never shows more than the whole", async () => {
    const queue = new Uploads(new Collisions());
    await queue.add(items("a"));
    calls[0]?.[3](400);
    expect(queue.all[0]?.sentBytes).toBe(4);
  });

  it("asks before what is taken, once for all", async () => {
    const queue = new Uploads(new Collisions());
    const added = queue.add(items("a!", "b!", "c"));
    await settle();
    expect(queue.collisions.now).toMatchObject({ name: "a", isOneOfMany: true });
    expect(sent()).toEqual(["c error"]);
    queue.collisions.now?.answer("overwrite", true);
    await added;
    expect(sent()).toEqual(["c error", "a overwrite", "b overwrite"]);
    expect(queue.collisions.now).toBeUndefined();
  });

  it("leaves out what is skipped, and asks again for the next", async () => {
    const queue = new Uploads(new Collisions());
    const added = queue.add(items("a!", "b!"));
    await settle();
    queue.collisions.now?.answer("skip", false);
    await settle();
    expect(queue.collisions.now).toMatchObject({ name: "b" });
    queue.collisions.now?.answer("rename", false);
    await added;
    expect(sent()).toEqual(["b rename"]);
  });

  it("asks where the server finds a name taken, one question at a time", async () => {
    const queue = new Uploads(new Collisions());
    await queue.add(items("a", "b"));
    calls[0]?.fail(new Problem("collision", ""));
    calls[1]?.fail(new Problem("collision", ""));
    await settle();
    expect(queue.collisions.now).toMatchObject({ name: "a" });
    queue.collisions.now?.answer("rename", true);
    await settle();
    expect(queue.collisions.now).toBeUndefined();
    expect(sent()).toEqual(["a error", "b error", "a rename", "b rename"]);
  });

  it.each([
    ["the same file, just stored", { size: 4, ageS: 1 }, "done"],
    ["another file", { size: 5, ageS: 1 }, "asked"],
    ["an old one of the same size", { size: 4, ageS: 3600 }, "asked"],
    ["what nobody knows the age of", { size: 4, ageS: NaN }, "asked"],
  ])("knows after a lost answer that the name is taken by %s", async (_, facts, outcome) => {
    vi.mocked(readFacts).mockResolvedValue({ mime: "", modified: "", etag: "", ...facts });
    const queue = new Uploads(new Collisions());
    await queue.add(items("a"));
    calls[0]?.fail(new Problem("away", ""));
    await settle();
    calls[1]?.fail(new Problem("collision", ""));
    await settle();
    expect(readFacts).toHaveBeenCalledWith("docs/a", expect.anything());
    expect(queue.collisions.now ? "asked" : queue.all[0]?.state).toBe(outcome);
  });

  it("tells the truth after a break: what was sent is lost, and how fast it went says nothing", async () => {
    const queue = new Uploads(new Collisions());
    const file = new File(["x".repeat(1000)], "long");
    vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
    try {
      await queue.add([{ folder: "docs", file }]);
      calls[0]?.[3](100);
      vi.advanceTimersByTime(1000);
      calls[0]?.[3](600);
      expect(queue.bytesPerS).toBe(500);
      calls[0]?.fail(new Problem("away", ""));
      // The next try has begun, and nothing of it has arrived.
      await settle();
      expect(calls).toHaveLength(2);
      expect(queue).toMatchObject({ sentBytes: 0, bytesPerS: undefined, leftS: undefined });
      expect(queue.all[0]).toMatchObject({ state: "running", isHeld: false, isAnew: true });
      // And what stops without a word is not said to go on.
      calls[1]?.[3](100);
      vi.advanceTimersByTime(1000);
      calls[1]?.[3](300);
      expect(queue.bytesPerS).toBe(200);
      vi.advanceTimersByTime(6000);
      expect(queue.bytesPerS).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it("counts what waits for an answer, and lets the others go on", async () => {
    const queue = new Uploads(new Collisions());
    const added = queue.add(items("a!", "b", "c", "d", "e"));
    await settle();
    calls[0]?.finish();
    await settle();
    // One of five is done; not one of one.
    expect(queue).toMatchObject({ doneCount: 1, askingCount: 1, isBusy: true });
    expect(queue.all).toHaveLength(5);
    // What the server finds taken takes no place from what could go on.
    for (const call of calls.slice(1)) call.fail(new Problem("collision", ""));
    await settle();
    expect(queue.askingCount).toBe(4);
    queue.collisions.now?.answer("skip", true);
    await added;
    await settle();
    expect(queue).toMatchObject({ doneCount: 1, askingCount: 0, isBusy: false });
    expect(queue.all.map((one) => one.file.name)).toEqual(["b"]);
  });

  it("asks nothing about what was called off", async () => {
    const queue = new Uploads(new Collisions());
    const added = queue.add(items("a!", "b!"));
    await settle();
    const [, second] = queue.all;
    if (second) queue.cancel(second);
    queue.collisions.now?.answer("rename", false);
    await added;
    expect(queue.collisions.now).toBeUndefined();
    expect(sent()).toEqual(["a rename"]);
  });

  it("keeps what failed, to be tried again", async () => {
    const queue = new Uploads(new Collisions());
    await queue.add(items("a"));
    calls[0]?.fail(new Problem("diskFull", ""));
    await settle();
    expect(queue.all[0]).toMatchObject({ state: "failed", problem: "diskFull" });
    const [one] = queue.all;
    if (one) queue.retry(one);
    expect(queue.all[0]).toMatchObject({ state: "running", problem: undefined });
    expect(sent()).toEqual(["a error", "a error"]);
  });

  it("stops what is cancelled and goes on with the rest", async () => {
    const queue = new Uploads(new Collisions());
    await queue.add(items("a", "b", "c", "d"));
    const [first] = queue.all;
    if (first) queue.cancel(first);
    expect(calls[0]?.[4].aborted).toBe(true);
    calls[0]?.fail(new DOMException("Cancelled", "AbortError"));
    await settle();
    expect(queue.all.map((one) => one.file.name)).toEqual(["b", "c", "d"]);
    expect(sent()).toEqual(["a error", "b error", "c error", "d error"]);
  });
});
