import { beforeEach, describe, expect, it, vi } from "vitest";
import { MarkClaims } from "./claims.ts";
import { Collisions } from "./collisions.svelte.ts";
import { FakeLarder, world } from "./fakeLarder.ts";
import { KeptUploads } from "./keptUploads.ts";
import { ONE_REQUEST_MAX } from "./sending.ts";
import { type Brought, Uploads } from "./uploads.svelte.ts";
import { wakeLock } from "./wakeLock.ts";

vi.mock("../api/http.ts", async () => (await import("./fakeLarder.ts")).fakeHttp);

/** The browser's storage, which all windows share. */
const storage = new Map<string, string>();
const MODIFIED = 1_700_000_000_000;
const LONG = "x".repeat(ONE_REQUEST_MAX + 1000);

let larder: FakeLarder;
let user = "";
let users = 0;
/** Lets requests go, one at a time. */
let waiting: (() => void)[];

beforeEach(() => {
  larder = world.larder = new FakeLarder();
  storage.clear();
  waiting = [];
  // What an earlier test left to be remembered is somebody else's.
  user = `ana ${(users += 1)}`;
  // As over plain http: digests are left to the tests of one file's sending.
  vi.stubGlobal("crypto", {});
  vi.stubGlobal("document", { hidden: false });
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => storage.get(name) ?? null,
    setItem: (name: string, value: string) => storage.set(name, value),
  });
});

/** A window of the browser. */
function window(name = "one"): Uploads {
  // Another try comes at once: these tests are not about patience.
  return new Uploads(new Collisions(), keptHere(), new MarkClaims(name), () => settle());
}

function keptHere(): KeptUploads {
  const name = user;
  return new KeptUploads(() => name);
}

/** Has requests wait for `letGo`. */
function hold() {
  larder.gate = () => new Promise((go) => waiting.push(go));
}

function letGo(count = waiting.length) {
  for (const go of waiting.splice(0, count)) go();
}

const fileOf = (name: string, bytes = "four", lastModified = MODIFIED) => new File([bytes], name, { lastModified });
/** In these tests a name with an exclamation mark is taken by something else. */
const items = (...names: string[]): Brought[] =>
  names.map((name) => ({
    folder: "docs",
    file: fileOf(name.replace("!", "")),
    there: name.endsWith("!") ? { size: 5, modified: "2026-01-02T03:04:05Z" } : undefined,
  }));

/** Lets everything that can go on go on. */
const settle = async () => {
  for (let step = 0; step < 30; step += 1) await new Promise((go) => setImmediate(go));
};
/** Waits for what takes the browser a while: large files are read. */
const until = (isSo: () => boolean) => vi.waitUntil(isSo, { timeout: 10_000, interval: 2 });
const isQuiet = (queue: Uploads) => () => !states(queue).some((state) => state === "running" || state === "waiting");
const states = (queue: Uploads) => queue.all.map((one) => one.state);
const stored = () => [...larder.files.keys()];
const taken = (path: string, bytes: string, modified = 1) => larder.files.set(path, { bytes, modified });

describe("the upload queue", () => {
  it("has some small files under way at once, and the next when one is done", async () => {
    const queue = window();
    const told: string[][] = [];
    queue.onStored = (folders) => told.push([...folders]);
    hold();
    queue.add(items("a", "b", "c", "d", "e", "f"));
    await settle();
    expect(states(queue)).toEqual(["running", "running", "running", "running", "waiting", "waiting"]);
    letGo(1);
    await settle();
    expect(states(queue)).toEqual(["done", "running", "running", "running", "running", "waiting"]);
    expect(queue.isBusy).toBe(true);
    larder.gate = undefined;
    letGo();
    await settle();
    expect(queue.isBusy).toBe(false);
    expect(queue.tally).toMatchObject({ all: 6, done: 6, sentBytes: 24, totalBytes: 24 });
    // Many are told as one.
    await vi.waitUntil(() => told.length > 0);
    expect(told).toEqual([["docs"]]);
    queue.clear();
    expect(queue.all).toEqual([]);
    expect(queue.tally).toMatchObject({ all: 0, done: 0, sentBytes: 0, totalBytes: 0 });
  });

  it("has two large files under way at most, and small ones beside them", async () => {
    const queue = window();
    hold();
    const large = (name: string) => ({ folder: "docs", file: fileOf(name, LONG) });
    queue.add([large("A"), large("B"), large("C"), ...items("d", "e")]);
    await settle();
    expect(states(queue)).toEqual(["running", "running", "waiting", "running", "running"]);
  });

  it("asks before what is taken, once for all", async () => {
    for (const name of ["a", "b"]) taken(`docs/${name}`, "other");
    const queue = window();
    queue.add(items("a!", "b!", "c"));
    await settle();
    expect(queue.collisions.now).toMatchObject({ name: "a", isOneOfMany: true, there: { size: 5 } });
    expect(stored()).toEqual(["docs/a", "docs/b", "docs/c"]);
    queue.collisions.now?.answer("overwrite", true);
    await settle();
    expect(states(queue)).toEqual(["done", "done", "done"]);
    expect(larder.files.get("docs/b")?.bytes).toBe("four");
    expect(queue.collisions.now).toBeUndefined();
  });

  it("leaves out what is skipped, and asks again for the next", async () => {
    for (const name of ["a", "b"]) taken(`docs/${name}`, "other");
    const queue = window();
    queue.add(items("a!", "b!"));
    await settle();
    queue.collisions.now?.answer("skip", false);
    await settle();
    expect(queue.collisions.now).toMatchObject({ name: "b" });
    queue.collisions.now?.answer("rename", false);
    await settle();
    expect(stored()).toEqual(["docs/a", "docs/b", "docs/b (1)"]);
    expect(queue.tally).toMatchObject({ all: 1, done: 1 });
  });

  it("asks where the server finds a name taken, one question at a time, and holds up no other", async () => {
    for (const name of ["a", "b"]) taken(`docs/${name}`, "other!");
    const queue = window();
    queue.add(items("a", "b", "c"));
    await settle();
    expect(states(queue)).toEqual(["asking", "asking", "done"]);
    expect(queue.tally).toMatchObject({ done: 1, asking: 2, isBusy: true });
    expect(queue.collisions.now).toMatchObject({ name: "a", there: { size: 6 } });
    queue.collisions.now?.answer("rename", true);
    await settle();
    expect(stored()).toEqual(["docs/a", "docs/b", "docs/c", "docs/a (1)", "docs/b (1)"]);
  });

  it("asks nothing about what was called off", async () => {
    const queue = window();
    queue.add(items("a!", "b!"));
    await settle();
    const [, second] = queue.all;
    if (second) queue.cancel(second);
    queue.collisions.now?.answer("rename", false);
    await settle();
    expect(queue.collisions.now).toBeUndefined();
    expect(stored()).toEqual(["docs/a"]);
  });

  it("asks nothing about what was called off while it was looked at", async () => {
    taken("docs/a", "four");
    const queue = window();
    queue.add(items("a"));
    const [one] = queue.all;
    // Cancelled while larder is asked what has its name.
    const { log } = larder;
    await vi.waitUntil(() => log.includes("POST 4"), { interval: 0 });
    if (one) queue.cancel(one);
    await settle();
    expect(queue.collisions.now).toBeUndefined();
    expect(queue.tally).toMatchObject({ all: 0, asking: 0 });
  });

  it("says that a folder cannot be replaced, and asks again only when told to", async () => {
    larder.folders.add("docs/a");
    taken("docs/b", "other");
    const queue = window();
    queue.add(items("a!", "b!"));
    await settle();
    queue.collisions.now?.answer("overwrite", true);
    await settle();
    expect(states(queue)).toEqual(["failed", "done"]);
    expect(queue.all[0]?.problem?.kind).toBe("collision");
    expect(larder.log.filter((line) => line === "POST 4")).toHaveLength(2);
    queue.retryAll();
    await settle();
    expect(queue.collisions.now).toMatchObject({ name: "a", isOneOfMany: false });
    queue.collisions.now?.answer("rename", false);
    await settle();
    expect(states(queue)).toEqual(["done", "done"]);
  });

  it("asks nothing about what somebody has locked, says whose lock it is, and can try again", async () => {
    taken("docs/a", "other");
    const queue = window();
    queue.add(items("a!"));
    await settle();
    larder.refusal = { status: 409, code: "locked", error: "Locked by Anna" };
    queue.collisions.now?.answer("overwrite", false);
    await settle();
    expect(queue.collisions.now).toBeUndefined();
    expect(queue.all[0]).toMatchObject({ state: "failed", problem: { kind: "locked", message: "Locked by Anna" } });
    queue.retryAll();
    await settle();
    // What was answered before still holds.
    expect(queue.collisions.now).toBeUndefined();
    expect(queue.all[0]).toMatchObject({ state: "done", problem: undefined });
  });

  it("keeps what failed, to be tried again", async () => {
    const queue = window();
    larder.refusal = { status: 507, code: "disk_full" };
    queue.add(items("a"));
    await settle();
    expect(queue.all[0]).toMatchObject({ state: "failed", problem: { kind: "diskFull" } });
    expect(queue.tally).toMatchObject({ failed: 1, totalBytes: 0, isBusy: false });
    queue.retryAll();
    await settle();
    expect(queue.all[0]).toMatchObject({ state: "done", problem: undefined });
    expect(queue.tally).toMatchObject({ failed: 0, done: 1, totalBytes: 4, sentBytes: 4 });
  });
});

describe("what is there already", () => {
  it("is skipped where it is the very file, by its bytes where they are few", async () => {
    taken("docs/a", "four");
    taken("docs/b", "FOUR", MODIFIED);
    const queue = window();
    queue.add(items("a", "b"));
    await settle();
    expect(states(queue)).toEqual(["skipped", "asking"]);
    expect(queue.tally).toMatchObject({ done: 1, skipped: 1 });
  });

  it("is skipped by size, date and some of its bytes where it is large", async () => {
    taken("docs/A", LONG, MODIFIED);
    taken("docs/B", LONG, MODIFIED + 5000);
    const middle = LONG.length / 2;
    taken("docs/C", `${LONG.slice(0, middle)}y${LONG.slice(middle + 1)}`, MODIFIED);
    const queue = window();
    const there = (at: number) => ({ size: LONG.length, modified: new Date(at).toISOString() });
    queue.add([
      { folder: "docs", file: fileOf("A", LONG), there: there(MODIFIED) },
      { folder: "docs", file: fileOf("B", LONG), there: there(MODIFIED + 5000) },
      { folder: "docs", file: fileOf("C", LONG), there: there(MODIFIED) },
    ]);
    await settle();
    expect(states(queue)).toEqual(["skipped", "asking", "asking"]);
    // Not a byte went out.
    expect(larder.log.filter((line) => /POST|PATCH/.test(line))).toEqual([]);
  });

  it("is sent all the same where the reader wants that", async () => {
    taken("docs/a", "four");
    const queue = window();
    queue.add(items("a", "b"));
    await settle();
    const [one] = queue.all;
    if (one) queue.sendAnyway(one);
    await settle();
    expect(queue.tally).toMatchObject({ all: 2, done: 1, skipped: 0, asking: 1 });
    queue.collisions.now?.answer("overwrite", false);
    await settle();
    expect(states(queue)).toEqual(["done", "done"]);
    expect(larder.files.get("docs/a")?.modified).toBe(MODIFIED);
    expect(keptHere().read().batches).toEqual([]);
  });

  it("is taken for the same by size and date where a batch goes on", async () => {
    for (const name of ["a", "b"]) taken(`docs/${name}`, "four", MODIFIED);
    taken("docs/c", "four", MODIFIED + 5000);
    const queue = window();
    queue.add(items("a", "b", "c", "d"), true);
    await settle();
    expect(states(queue)).toEqual(["skipped", "skipped", "skipped", "done"]);
    expect(larder.log.filter((line) => line.startsWith("GET"))).toEqual(["GET"]);
  });

  it("is looked up once where many files go to a folder", async () => {
    for (const name of ["a", "b", "c", "d"]) taken(`docs/${name}`, "four");
    const queue = window();
    queue.add(items("a", "b", "c", "d", "e"));
    await settle();
    expect(states(queue)).toEqual(["skipped", "skipped", "skipped", "skipped", "done"]);
    expect(larder.log.filter((line) => line !== "GET")).toEqual(["FINDER docs", "LIST", "POST 4"]);
  });

  it("is known as its own after a lost answer", async () => {
    const queue = window();
    larder.isDeaf = true;
    queue.add(items("a"));
    await until(isQuiet(queue));
    expect(states(queue)).toEqual(["done"]);
    expect(queue.tally.skipped).toBe(0);
    expect(stored()).toEqual(["docs/a"]);
  });
});

describe("a break", () => {
  it("is gone on after, and that is said", async () => {
    const queue = window();
    larder.gate = () => {
      if (larder.log.at(-1)?.startsWith("PATCH 0")) larder.breakAfter = 3000;
      return Promise.resolve();
    };
    queue.add([{ folder: "docs", file: fileOf("film", LONG) }]);
    await until(isQuiet(queue));
    expect(queue.all[0]).toMatchObject({ state: "done", continuedAt: 3000 });
    expect(larder.files.get("docs/film")?.bytes).toBe(LONG);
  });

  it("lets the screen go off while nothing moves, and keeps it on again", async () => {
    const letGone = vi.fn();
    const held = vi.spyOn(wakeLock, "hold").mockReturnValue(letGone);
    try {
      const queue = window();
      larder.isAway = true;
      queue.add(items("a"));
      await until(() => letGone.mock.calls.length === 1);
      larder.isAway = false;
      await until(isQuiet(queue));
      expect(held).toHaveBeenCalledTimes(2);
      await settle();
      expect(letGone).toHaveBeenCalledTimes(2);
    } finally {
      held.mockRestore();
    }
  });

  it("leaves no speed of before", async () => {
    const queue = window();
    let at = 0;
    const spy = vi.spyOn(performance, "now").mockImplementation(() => at);
    try {
      hold();
      queue.add([{ folder: "docs", file: fileOf("film", LONG) }]);
      await settle();
      larder.isAway = true;
      const { bytesPerS } = queue;
      at = 1000;
      letGo();
      await settle();
      expect(bytesPerS).toBeUndefined();
      expect(queue.bytesPerS).toBeUndefined();
      expect(queue.leftS).toBeUndefined();
      expect(queue.all[0]).toMatchObject({ state: "running", isHeld: true });
    } finally {
      spy.mockRestore();
      queue.cancelAll();
    }
  });

  it("of the page is gone on after when the file is chosen again", async () => {
    const first = window();
    larder.gate = () => {
      if (!larder.log.at(-1)?.startsWith("PATCH 0")) return Promise.resolve();
      larder.breakAfter = 3000;
      larder.isAway = true;
      return Promise.resolve();
    };
    first.add([{ folder: "docs", file: fileOf("film", LONG) }]);
    await until(() => first.all[0]?.isHeld === true);
    first.all[0]?.running?.abort();
    (first.claims as MarkClaims).releaseAll();
    // Another day, another page; larder is there again.
    larder.isAway = false;
    larder.gate = undefined;
    const second = window("two");
    await second.left.refresh();
    expect(second.left.files).toMatchObject([{ path: "docs/film", size: LONG.length, offset: 3000, isPasted: false }]);
    larder.log = [];
    second.add([{ folder: "docs", file: fileOf("film", LONG) }]);
    await until(isQuiet(second));
    expect(second.all[0]).toMatchObject({ state: "done", continuedAt: 3000 });
    expect(larder.log).toEqual(["LIST", "HEAD 1", `PATCH 3000 +${LONG.length - 3000}`]);
    expect(second.left.files).toEqual([]);
    expect(keptHere().read().files).toEqual([]);
  });

  it("of the page is not gone on after with another file of that name", async () => {
    larder.open.set("7", { path: "docs/film", size: LONG.length, bytes: "xxx", ifExists: "error", modified: MODIFIED });
    const queue = window();
    queue.add([{ folder: "docs", file: fileOf("film", LONG, MODIFIED + 1) }]);
    await until(isQuiet(queue));
    expect(queue.all[0]).toMatchObject({ state: "done", continuedAt: undefined });
    expect(larder.open.has("7")).toBe(true);
  });
});

describe("what failed", () => {
  /** A window with a film that failed after some of it had arrived. */
  async function failed(): Promise<Uploads> {
    const queue = window();
    larder.gate = () => {
      if (larder.log.at(-1)?.startsWith("PATCH 0")) larder.breakAfter = 3000;
      if (larder.log.at(-1)?.startsWith("PATCH 3000")) larder.refusal = { status: 507, code: "disk_full" };
      return Promise.resolve();
    };
    queue.add([{ folder: "docs", file: fileOf("film", LONG) }]);
    await until(isQuiet(queue));
    expect(states(queue)).toEqual(["failed"]);
    larder.gate = undefined;
    return queue;
  }

  it("is gone on with when the same file is chosen again", async () => {
    const queue = await failed();
    queue.add([{ folder: "docs", file: fileOf("film", LONG) }]);
    await until(isQuiet(queue));
    expect(queue.all).toMatchObject([{ state: "done", continuedAt: 3000 }]);
    expect(queue.tally).toMatchObject({ all: 1, failed: 0, done: 1 });
  });

  it("waits to be chosen again once it is cleared", async () => {
    const queue = await failed();
    queue.clear();
    await settle();
    expect(queue.left.files).toMatchObject([{ path: "docs/film", offset: 3000 }]);
    expect(await queue.claims.isTaken("1")).toBe(false);
  });
});

describe("an answer", () => {
  it("of today holds, not that of another day", async () => {
    taken("docs/film", "other");
    larder.open.set("7", { path: "docs/film", size: LONG.length, bytes: "xxx", ifExists: "overwrite", modified: MODIFIED });
    const queue = window();
    queue.add([{ folder: "docs", file: fileOf("film", LONG), there: { size: 5, modified: "2026-01-02T03:04:05Z" } }]);
    await settle();
    queue.collisions.now?.answer("rename", false);
    await until(() => states(queue)[0] === "done");
    expect(stored()).toEqual(["docs/film", "docs/film (1)"]);
    expect(larder.log).toContain("DELETE 7");
    expect(larder.open.size).toBe(0);
  });

  it("of another day holds where none is needed: what waits in a folder goes on", async () => {
    taken("docs/tree/film", "other");
    larder.open.set("7", { path: "docs/tree/film", size: LONG.length, bytes: "xxx", ifExists: "overwrite", modified: MODIFIED });
    keptHere().putFile({ id: "7" });
    keptHere().putBatch({ id: "b", path: "docs/tree", isFolder: true, all: 2, done: 1 });
    const queue = window();
    await queue.left.refresh();
    expect(queue.left.files).toEqual([]);
    queue.add([{ folder: "docs/tree", root: "docs/tree", file: fileOf("film", LONG), there: { size: 5, modified: "2026-01-02T03:04:05Z" } }]);
    await until(isQuiet(queue));
    expect(states(queue)).toEqual(["done"]);
    expect(larder.files.get("docs/tree/film")?.bytes).toBe(LONG);
  });
});

describe("what is left", () => {
  it("is not what went on while larder was asked", async () => {
    larder.open.set("7", { path: "docs/film", size: LONG.length, bytes: "xxx", ifExists: "error", modified: MODIFIED });
    keptHere().putFile({ id: "7" });
    const queue = window();
    const { http } = larder;
    const asked = vi.spyOn(http, "headAt").mockImplementation(async () => {
      await queue.claims.tryNow("7");
      return new Headers({ "Upload-Offset": "3" });
    });
    await queue.left.refresh();
    expect(asked).toHaveBeenCalled();
    expect(queue.left.files).toEqual([]);
  });
});

describe("a batch", () => {
  it("is remembered by itself where several are brought at once", async () => {
    const queue = window();
    hold();
    const into = (root: string) => items("a", "b").map((one) => ({ ...one, folder: root, root }));
    queue.add([...into("docs/x"), ...into("docs/y"), ...items("a", "b", "c")]);
    await settle();
    const kept = keptHere().read().batches;
    expect(kept.map(({ path, isFolder, all }) => [path, isFolder, all])).toEqual([["docs/x", true, 2], ["docs/y", true, 2], ["docs", false, 3]]);
    expect(new Set(kept.map((one) => one.id)).size).toBe(3);
    larder.gate = undefined;
    letGo();
    await settle();
    expect(keptHere().read().batches).toEqual([]);
  });

  it("is remembered until all of it has arrived", async () => {
    const queue = window();
    hold();
    queue.add(items("a", "b", "c").map((one) => ({ ...one, folder: "docs/tree", root: "docs/tree" })));
    await settle();
    const kept = keptHere();
    expect(kept.read().batches).toMatchObject([{ path: "docs/tree", isFolder: true, all: 3, done: 0 }]);
    // While it runs, other windows do not call it left.
    const other = window("two");
    await other.left.refresh();
    expect(other.left.batches).toEqual([]);
    letGo(1);
    await vi.waitUntil(() => kept.read().batches[0]?.done === 1, { timeout: 3000 });
    (queue.claims as MarkClaims).releaseAll();
    await other.left.refresh();
    expect(other.left.batches).toMatchObject([{ path: "docs/tree", done: 1, all: 3 }]);
    larder.gate = undefined;
    letGo();
    await settle();
    expect(kept.read().batches).toEqual([]);
  });

  it("of a folder is one line that counts what is in it", async () => {
    const queue = window();
    queue.add([
      ...items("a", "b").map((one) => ({ ...one, folder: "docs/tree/x", root: "docs/tree" })),
      ...items("c"),
    ]);
    expect(queue.parcels).toHaveLength(1);
    expect(queue.parcels[0]).toMatchObject({ path: "docs/tree", tally: { all: 2, totalBytes: 8 } });
    await settle();
    expect(queue.parcels[0]?.tally).toMatchObject({ done: 2, isBusy: false });
    queue.clear();
    expect(queue.parcels).toEqual([]);
  });

  it("of a folder counts each once, however often it is cancelled", async () => {
    const queue = window();
    hold();
    queue.add(items("a", "b", "c").map((one) => ({ ...one, folder: "docs/tree", root: "docs/tree" })));
    await settle();
    const [one] = queue.all;
    if (!one) return;
    queue.cancel(one);
    queue.cancel(one);
    expect(queue.parcels[0]?.all).toHaveLength(2);
    expect(queue.tally).toMatchObject({ all: 2, totalBytes: 8 });
    expect(queue.parcels[0]?.tally.all).toBe(2);
  });
});

describe("what is cancelled", () => {
  it("stops, goes from larder, and the rest goes on", async () => {
    const queue = window();
    hold();
    queue.add([{ folder: "docs", file: fileOf("film", LONG) }, ...items("b")]);
    await settle();
    letGo();
    await settle();
    expect(larder.open.size).toBe(1);
    const [film] = queue.all;
    if (film) queue.cancel(film);
    larder.gate = undefined;
    letGo();
    await settle();
    expect(larder.open.size).toBe(0);
    expect(larder.log).toContain("DELETE 1");
    expect(queue.all.map((one) => one.file.name)).toEqual(["b"]);
    expect(keptHere().read().files).toEqual([]);
  });
});

describe("two windows", () => {
  it("do not send the same file against each other", async () => {
    const [one, two] = [window("one"), window("two")];
    hold();
    one.add([{ folder: "docs", file: fileOf("film", LONG) }]);
    await settle();
    letGo();
    await until(() => larder.log.length === 3);
    expect(larder.log).toEqual(["LIST", "POST 0", `PATCH 0 +${LONG.length}`]);
    two.add([{ folder: "docs", file: fileOf("film", LONG) }]);
    await settle();
    expect(states(two)).toEqual(["elsewhere"]);
    // What the other sends is not this one's to give up.
    larder.gate = undefined;
    letGo();
    await until(isQuiet(one));
    expect(states(one)).toEqual(["done"]);
    await vi.waitUntil(() => two.all[0]?.state === "done", { timeout: 5000 });
    expect(larder.log.filter((line) => line.startsWith("PATCH"))).toEqual([`PATCH 0 +${LONG.length}`]);
    expect(stored()).toEqual(["docs/film"]);
  });

  it("take over what the other one leaves", async () => {
    const [one, two] = [window("one"), window("two")];
    hold();
    one.add([{ folder: "docs", file: fileOf("film", LONG) }]);
    await settle();
    letGo();
    await until(() => larder.log.length === 3);
    two.add([{ folder: "docs", file: fileOf("film", LONG) }]);
    await settle();
    one.all[0]?.running?.abort();
    (one.claims as MarkClaims).releaseAll();
    larder.gate = undefined;
    await vi.waitUntil(() => two.all[0]?.state === "done", { timeout: 5000 });
    expect(stored()).toEqual(["docs/film"]);
  });
});
