import { beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "../api/problem.ts";
import { FakeLarder, world } from "./fakeLarder.ts";
import { type Line, ONE_REQUEST_MAX, SendingFile, type Told } from "./sending.ts";

vi.mock("../api/http.ts", async () => (await import("./fakeLarder.ts")).fakeHttp);

let larder: FakeLarder;
let waits: number[];
let told: { ids: (string | undefined)[]; at: number[]; holds: number };

beforeEach(() => {
  larder = world.larder = new FakeLarder();
  waits = [];
  told = { ids: [], at: [], holds: 0 };
});

/** A file that says it is longer than it is: what sends goes by its size. */
function fileOf(bytes: string, size = bytes.length): File {
  const file = new File([bytes], "film.mkv", { lastModified: 1_700_000_000_123 });
  if (size !== bytes.length) Object.defineProperty(file, "size", { value: size });
  return file;
}

const LONG = "x".repeat(ONE_REQUEST_MAX + 1000);

function sending(file: File, more: { id?: string; line?: Line; find?: Told["find"]; signal?: AbortSignal } = {}) {
  const goal = { folder: "films", name: file.name, size: file.size, modified: file.lastModified, ifExists: "error" as const };
  const how: Told = {
    find: more.find ?? (() => Promise.resolve(undefined)),
    onId: (id) => told.ids.push(id),
    onSent: () => undefined,
    onAt: (offset) => told.at.push(offset),
    onHeld: () => (told.holds += 1),
    onTry: () => undefined,
  };
  const wait = (seconds: number) => {
    waits.push(seconds);
    return Promise.resolve();
  };
  const signal = more.signal ?? new AbortController().signal;
  return new SendingFile(file, goal, more.line ?? { sliceBytes: undefined }, how, signal, more.id, wait);
}

describe("a file's sending", () => {
  it("takes one request where the file is small", async () => {
    expect(await sending(fileOf("four")).run()).toBe("films/film.mkv");
    expect(larder.log).toEqual(["POST 4"]);
    expect(larder.files.get("films/film.mkv")).toEqual({ bytes: "four", modified: 1_700_000_000_123 });
    expect(told.ids).toEqual([]);
  });

  it("takes one request for an empty file", async () => {
    expect(await sending(fileOf("")).run()).toBe("films/film.mkv");
    expect(larder.log).toEqual(["POST 0"]);
  });

  it("begins first and then sends, where it is long", async () => {
    await sending(fileOf(LONG)).run();
    expect(larder.log).toEqual(["POST 0", `PATCH 0 +${LONG.length}`]);
    expect(larder.files.get("films/film.mkv")?.bytes).toBe(LONG);
    expect(told.ids).toEqual(["1"]);
  });

  it("asks after each break how far it is, and goes on there", async () => {
    const file = fileOf(LONG);
    const run = sending(file);
    larder.gate = () => {
      if (larder.log.length === 2) larder.breakAfter = 3000;
      return Promise.resolve();
    };
    await run.run();
    expect(larder.log).toEqual(["POST 0", `PATCH 0 +${LONG.length}`, "HEAD 1", `PATCH 3000 +${LONG.length - 3000}`]);
    expect(told).toEqual({ ids: ["1"], at: [3000], holds: 1 });
    expect(larder.files.get("films/film.mkv")?.bytes).toBe(LONG);
  });

  it("sends nothing twice when only the last answer was lost", async () => {
    larder.gate = () => {
      if (larder.log.length === 2) larder.isDeaf = true;
      return Promise.resolve();
    };
    expect(await sending(fileOf(LONG)).run()).toBe("films/film.mkv");
    expect(larder.log).toEqual(["POST 0", `PATCH 0 +${LONG.length}`, "HEAD 1"]);
  });

  it("finds what a whole request began before it broke off", async () => {
    larder.breakAfter = 2;
    const find = () => Promise.resolve([...larder.open.keys()][0]);
    expect(await sending(fileOf("four"), { find }).run()).toBe("films/film.mkv");
    expect(larder.log).toEqual(["POST 4", "HEAD 1", "PATCH 2 +2"]);
    expect(larder.files.size).toBe(1);
  });

  it("goes on with what it is told of", async () => {
    larder.open.set("9", { path: "films/film.mkv", size: 4, bytes: "fo", ifExists: "error", modified: 0 });
    expect(await sending(fileOf("four"), { id: "9" }).run()).toBe("films/film.mkv");
    expect(larder.log).toEqual(["HEAD 9", "PATCH 2 +2"]);
    expect(told.at).toEqual([2]);
  });

  it("begins anew where larder knows it no more", async () => {
    expect(await sending(fileOf("four"), { id: "gone" }).run()).toBe("films/film.mkv");
    expect(larder.log).toEqual(["HEAD gone", "POST 4"]);
    expect(told.ids).toEqual([undefined]);
  });

  it("takes the place from the answer, where larder has another", async () => {
    larder.open.set("9", { path: "films/film.mkv", size: 4, bytes: "f", ifExists: "error", modified: 0 });
    const run = sending(fileOf("four"), { id: "9" });
    larder.gate = () => {
      const open = larder.open.get("9");
      if (larder.log.length === 2 && open) open.bytes = "fou";
      return Promise.resolve();
    };
    await run.run();
    expect(larder.log).toEqual(["HEAD 9", "PATCH 1 +3", "PATCH 3 +1"]);
    expect(told.at).toEqual([1, 3]);
  });

  it("goes by slices after a proxy's 413, and the next file does so at once", async () => {
    larder.proxyMax = 3_000_000;
    const line: Line = { sliceBytes: undefined };
    await sending(fileOf(LONG), { line }).run();
    expect(larder.files.get("films/film.mkv")?.bytes).toBe(LONG);
    expect(line.sliceBytes).toBeLessThanOrEqual(3_000_000);
    larder.log = [];
    larder.files.clear();
    await sending(fileOf("x".repeat(4_000_000)), { line }).run();
    expect(larder.log.slice(0, 2)).toEqual(["POST 0", `PATCH 0 +${line.sliceBytes}`]);
  });

  it("goes by shorter slices where again and again much was sent and nothing came", async () => {
    const line: Line = { sliceBytes: undefined };
    const patches = () => larder.log.filter((one) => one.startsWith("PATCH"));
    const send = larder.http.send;
    const spy = vi.spyOn(larder.http, "send").mockImplementation((request, read) => {
      // What lies between keeps what is longer than it likes, and then breaks off.
      if ((request.body?.size ?? 0) <= 5_000_000) return send(request, read);
      larder.log.push("PATCH lost");
      request.onProgress(request.body?.size ?? 0);
      return Promise.reject(new Problem("away", ""));
    });
    expect(await sending(fileOf(LONG), { line }).run()).toBe("films/film.mkv");
    spy.mockRestore();
    expect(patches().slice(0, 3)).toEqual(["PATCH lost", "PATCH lost", `PATCH 0 +${line.sliceBytes}`]);
    expect(larder.files.get("films/film.mkv")?.bytes).toBe(LONG);
  });

  it("waits where larder forgets again and again", async () => {
    let times = 0;
    larder.gate = () => {
      if (larder.log.at(-1)?.startsWith("PATCH") && (times += 1) < 4) larder.refusal = { status: 404, code: "not_found" };
      return Promise.resolve();
    };
    await sending(fileOf(LONG)).run();
    expect(waits).toHaveLength(2);
  });

  it("gives up where not even short requests pass", async () => {
    larder.proxyMax = 1000;
    await expect(sending(fileOf("x".repeat(900_000))).run()).rejects.toMatchObject({ kind: "tooLarge" });
  });

  it("waits longer each time, as long as it is told, and little once something came", async () => {
    larder.isAway = true;
    const run = sending(fileOf("four")).run();
    await vi.waitUntil(() => waits.length > 5);
    larder.isAway = false;
    await run;
    expect(waits.slice(0, 6)).toEqual([1, 2, 4, 8, 15, 15]);
    waits = [];
    larder.files.clear();
    larder.refusal = { status: 503, code: "drive_busy", retryAfter: "30" };
    await sending(fileOf("four")).run();
    larder.files.clear();
    larder.refusal = { status: 429, code: "too_many", retryAfter: "7" };
    await sending(fileOf("four")).run();
    expect(waits).toEqual([30, 7]);
  });

  it("says at once what no patience mends", async () => {
    larder.refusal = { status: 507, code: "disk_full" };
    await expect(sending(fileOf("four")).run()).rejects.toMatchObject({ kind: "diskFull" });
    larder.refusal = { status: 409, code: "exists" };
    await expect(sending(fileOf("four")).run()).rejects.toMatchObject({ kind: "collision" });
    expect(waits).toEqual([]);
  });

  it("puts the whole in its place by an empty request, where only that is missing", async () => {
    larder.open.set("9", { path: "films/film.mkv", size: 4, bytes: "four", ifExists: "error", modified: 0 });
    expect(await sending(fileOf("four"), { id: "9" }).run()).toBe("films/film.mkv");
    expect(larder.log).toEqual(["HEAD 9", "PATCH 4 +0"]);
  });

  it("does not wait for a file that cannot be read any more", async () => {
    const file = fileOf("four");
    vi.spyOn(file, "slice").mockReturnValue({ arrayBuffer: () => Promise.reject(new Error("gone")) } as unknown as Blob);
    larder.isAway = true;
    await expect(sending(file).run()).rejects.toMatchObject({ kind: "unreadable" });
  });

  it("stops when it is called off, also while it waits", async () => {
    const stop = new AbortController();
    larder.isAway = true;
    const run = sending(fileOf("four"), { signal: stop.signal }).run();
    const ended = expect(run).rejects.toThrow();
    await vi.waitUntil(() => waits.length > 0);
    stop.abort();
    await ended;
  });
});
