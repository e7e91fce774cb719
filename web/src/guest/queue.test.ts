// What a guest brings goes to larder whatever breaks on the way. The larder here is a fake; see fakeLarder.ts.
import { beforeEach, expect, it, vi } from "vitest";
import { FakeLarder, world } from "../lib/state/fakeLarder.ts";
import { uploadsAt } from "../lib/api/tus.ts";
import { type Bringing, Queue } from "./queue.ts";

vi.mock("../lib/api/http.ts", async () => (await import("../lib/state/fakeLarder.ts")).fakeHttp);

const kept = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, value: string) => kept.set(name, value),
  removeItem: (name: string) => kept.delete(name),
});

const fileOf = (name: string, text: string) => new File([text], name, { lastModified: 1_700_000_000_000, type: "image/jpeg" });

/** Brings files and waits until each has come to an end. */
async function bring(queue: Queue, ...files: File[]): Promise<readonly Bringing[]> {
  queue.add(files, "");
  await vi.waitFor(() => expect(queue.isBusy).toBe(false));
  return queue.all;
}

const patient = () => Promise.resolve();
const queueOf = () => new Queue(() => undefined, patient);

beforeEach(() => {
  world.larder = new FakeLarder();
  kept.clear();
  uploadsAt.address = "/s/t/uploads";
});

it("gives each file its name at larder before its bytes, and never writes over another", async () => {
  const all = await bring(queueOf(), fileOf("a.jpg", "one"), fileOf("a.jpg", "other"));
  expect(all.map(({ state }) => state)).toEqual(["done", "done"]);
  expect(world.larder.log.filter((line) => line.startsWith("POST"))).toEqual(["POST 0", "POST 0"]);
  expect([...world.larder.files.values()].map(({ bytes }) => bytes).sort()).toEqual(["one", "other"]);
  expect(kept.size).toBe(0);
});

it("sends nothing twice where only the answer was lost", async () => {
  const queue = queueOf();
  // The name comes; the answer to the bytes does not.
  world.larder.gate = () => {
    world.larder.isDeaf = world.larder.open.size > 0;
    return Promise.resolve();
  };
  const [one] = await bring(queue, fileOf("a.jpg", "whole"));
  expect(one?.state).toBe("done");
  expect([...world.larder.files.keys()]).toEqual(["a.jpg"]);
});

it("goes on where it broke off, in another visit too", async () => {
  const file = fileOf("a.jpg", "0123456789");
  const first = new Queue(() => undefined, () => new Promise(() => undefined));
  world.larder.gate = () => {
    if (world.larder.open.size > 0) world.larder.breakAfter = 4;
    return Promise.resolve();
  };
  first.add([file], "");
  await vi.waitFor(() => expect(first.all[0]?.state).toBe("held"));
  expect(kept.size).toBe(1);
  // The page was closed; the same file is chosen another day.
  world.larder.gate = undefined;
  world.larder.log = [];
  const [again] = await bring(queueOf(), file);
  expect(again?.state).toBe("done");
  expect(world.larder.log).toEqual(["HEAD 1", "PATCH 4 +6"]);
  expect(world.larder.files.get("a.jpg")?.bytes).toBe("0123456789");
});

it("says what no patience mends, and tries again when asked", async () => {
  const queue = queueOf();
  world.larder.refusal = { status: 507, code: "disk_full" };
  const [one] = await bring(queue, fileOf("a.jpg", "one"));
  expect(one).toMatchObject({ state: "failed", cause: { kind: "diskFull" } });
  expect([queue.size, queue.count("done")]).toEqual([0, 0]);
  if (one) queue.retry(one);
  await vi.waitFor(() => expect(one?.state).toBe("done"));
});

it("brings the same file once, however often it is chosen", async () => {
  const queue = queueOf();
  const file = fileOf("a.jpg", "one");
  expect(queue.add([file, file], "")).toBe(1);
  await vi.waitFor(() => expect(queue.isBusy).toBe(false));
  expect([queue.add([file], ""), queue.add([file], "Elsewhere")]).toEqual([1, 0]);
  await vi.waitFor(() => expect(queue.isBusy).toBe(false));
  expect(queue.count("done")).toBe(2);
  // What failed is tried again.
  world.larder.refusal = { status: 507, code: "disk_full" };
  const other = fileOf("b.jpg", "other");
  await bring(queue, other);
  expect(queue.add([other], "")).toBe(0);
  await vi.waitFor(() => expect(queue.count("done")).toBe(3));
  expect(queue.all).toHaveLength(3);
});

it("gives up what is not wanted any more", async () => {
  const queue = new Queue(() => undefined, () => new Promise(() => undefined));
  world.larder.gate = () => {
    if (world.larder.open.size > 0) world.larder.breakAfter = 1;
    return Promise.resolve();
  };
  queue.add([fileOf("a.jpg", "one")], "");
  await vi.waitFor(() => expect(queue.all[0]?.state).toBe("held"));
  if (queue.all[0]) queue.drop(queue.all[0]);
  expect(queue.all).toEqual([]);
  expect(world.larder.open.size).toBe(0);
  expect(kept.size).toBe(0);
});
