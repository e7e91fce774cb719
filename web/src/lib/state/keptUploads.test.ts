import { beforeEach, expect, it, vi } from "vitest";
import { forgetUploads, KeptUploads } from "./keptUploads.ts";

const storage = new Map<string, string>();

beforeEach(() => {
  storage.clear();
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => storage.get(name) ?? null,
    setItem: (name: string, value: string) => storage.set(name, value),
    removeItem: (name: string) => storage.delete(name),
  });
});

const batch = (id: string) => ({ id, path: "docs", isFolder: false, all: 3, done: 1 });

it("keeps what was begun, by person", () => {
  const [ana, ben] = [new KeptUploads(() => "ana"), new KeptUploads(() => "ben")];
  ana.putFile({ id: "1" });
  ana.putFile({ id: "2", isPasted: true });
  ana.putBatch(batch("x"));
  ana.putBatch({ ...batch("x"), done: 2 });
  expect(ana.read()).toEqual({
    files: [{ id: "1" }, { id: "2", isPasted: true }],
    batches: [{ ...batch("x"), done: 2 }],
  });
  expect(ben.read()).toEqual({ files: [], batches: [] });
  ana.dropFile("1");
  ana.dropBatch("x");
  expect(ana.read()).toEqual({ files: [{ id: "2", isPasted: true }], batches: [] });
});

it("forgets what a person brought who signs out", () => {
  const [ana, ben] = [new KeptUploads(() => "ana"), new KeptUploads(() => "ben")];
  for (const kept of [ana, ben]) kept.putBatch(batch("x"));
  forgetUploads("ana");
  expect(ana.read().batches).toEqual([]);
  expect(ben.read().batches).toHaveLength(1);
});

it("keeps no more than fits, the newest", () => {
  const kept = new KeptUploads(() => "ana");
  for (let id = 0; id < 300; id += 1) kept.putFile({ id: `${"long ".repeat(800)}${id}` });
  for (let id = 0; id < 30; id += 1) kept.putBatch(batch(String(id)));
  const { files, batches } = kept.read();
  expect(files.at(-1)?.id).toMatch(/ 299$/);
  expect(batches.at(-1)?.id).toBe("29");
  expect(batches.length).toBeLessThanOrEqual(10);
  expect([...storage.values()].join("").length).toBeLessThan(70_000);
});

it("reads nonsense as nothing", () => {
  for (const nonsense of ["{", "null", "[]", '{"files": 3, "batches": {"a": 1}}', '{"files": [null, 4]}']) {
    storage.set("larder.uploads.ana", nonsense);
    expect(new KeptUploads(() => "ana").read(), nonsense).toEqual({ files: [], batches: [] });
  }
});
