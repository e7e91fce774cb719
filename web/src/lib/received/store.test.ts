import { beforeEach, expect, it, vi } from "vitest";
import { forgetReceived, forgetShare, receive, RECEIVED, refuse, send, waiting } from "./store.ts";

const NOW = Date.UTC(2026, 10, 29);
const DAY_MS = 24 * 60 * 60 * 1000;
const ORIGIN = "http://larder";

/** As much of the browser's caches as is used; `room`: bytes that fit. */
class FakeCaches {
  all = new Map<string, Map<string, Response>>();
  room = Infinity;

  open(name: string) {
    const entries = this.all.get(name) ?? new Map<string, Response>();
    this.all.set(name, entries);
    return Promise.resolve({
      keys: () => Promise.resolve([...entries.keys()].map((path) => new Request(ORIGIN + path))),
      match: (path: string) => Promise.resolve(entries.get(path)?.clone()),
      put: async (path: string, answer: Response) => {
        const bytes = (await answer.clone().arrayBuffer()).byteLength;
        if (bytes > this.room) throw new DOMException("full", "QuotaExceededError");
        entries.set(path, answer);
      },
      delete: (path: string) => Promise.resolve(entries.delete(path)),
    });
  }

  delete(name: string) {
    return Promise.resolve(this.all.delete(name));
  }
}

let caches: FakeCaches;
beforeEach(() => {
  caches = new FakeCaches();
  vi.stubGlobal("caches", caches);
});

function formOf(files: File[], words: Record<string, string> = {}): FormData {
  const form = new FormData();
  for (const file of files) form.append("files", file);
  for (const [name, value] of Object.entries(words)) form.append(name, value);
  return form;
}
const fileNamed = (name: string, content = "x") => new File([content], name, { type: "image/png", lastModified: 7 });
const count = () => caches.all.get(RECEIVED)?.size ?? 0;

it("keeps files as they came, and words", async () => {
  await receive(formOf([fileNamed("ü %25.png", "picture"), fileNamed("2")], { title: " A ", text: "", url: "https://b" }), NOW);
  const { shares, isRefused } = await waiting(NOW);
  expect(isRefused).toBe(false);
  expect(shares).toHaveLength(1);
  const [share] = shares;
  expect(share?.files.map(({ file }) => file.name)).toEqual(["ü %25.png", "2"]);
  const file = share?.files[0]?.file;
  expect([await file?.text(), file?.type, file?.lastModified]).toEqual(["picture", "image/png", 7]);
  expect(share?.words?.words).toEqual({ title: "A", url: "https://b" });
  expect(share?.at).toBe(NOW);
});

it("takes nothing where nothing was shared", async () => {
  await receive(formOf([new File([], "")], { title: " ", other: "x" }), NOW);
  expect(await waiting(NOW)).toEqual({ shares: [], isRefused: false });
});

it("takes all or nothing, and says so once", async () => {
  caches.room = 10;
  await receive(formOf([fileNamed("small"), fileNamed("large", "x".repeat(11))]), NOW);
  expect(await waiting(NOW)).toEqual({ shares: [], isRefused: true });
  expect(await waiting(NOW)).toEqual({ shares: [], isRefused: false });
  caches.room = Infinity;
  await receive(formOf(Array.from({ length: 500 }, (_, at) => fileNamed(String(at)))), NOW);
  expect((await waiting(NOW)).isRefused).toBe(true);
  await receive(formOf([fileNamed("one")]), NOW);
  await receive(formOf(Array.from({ length: 499 }, (_, at) => fileNamed(String(at)))), NOW);
  const { shares, isRefused } = await waiting(NOW);
  expect([shares.map((one) => one.files.length), isRefused]).toEqual([[1], true]);
  await refuse();
  expect((await waiting(NOW)).isRefused).toBe(true);
});

it("remembers where a share goes, and forgets what is over", async () => {
  await receive(formOf([fileNamed("a")]), NOW);
  await receive(formOf([fileNamed("b")]), NOW + 1);
  const [first, second] = (await waiting(NOW + 1)).shares;
  if (!first || !second) throw new Error("two shares");
  await send(second, { user: "ana", folder: "photos" });
  expect((await waiting(NOW + 1)).shares.map((one) => one.goal)).toEqual([undefined, { user: "ana", folder: "photos" }]);
  await forgetShare(first);
  expect((await waiting(NOW + 1)).shares.map((one) => one.id)).toEqual([second.id]);
  // The last file has arrived and the page was left before it could clean up.
  await caches.open(RECEIVED).then((cache) => cache.delete(second.files[0]?.key ?? ""));
  expect((await waiting(NOW + 1)).shares).toEqual([]);
  expect(count()).toBe(0);
});

it("offers nothing of a share that is not whole", async () => {
  await receive(formOf([fileNamed("a"), fileNamed("b")], { text: "both" }), NOW);
  const [share] = (await waiting(NOW)).shares;
  if (!share) throw new Error("a share");
  // The worker has not come to the last one, or was ended before it.
  await caches.open(RECEIVED).then((cache) => cache.delete(share.files[1]?.key ?? ""));
  expect((await waiting(NOW)).shares).toEqual([]);
  // On its way it gets less and less.
  await send(share, { user: "ana", folder: "" });
  expect((await waiting(NOW)).shares.map((one) => one.files.length)).toEqual([1]);
});

it("keeps nothing for ever, whichever way the clock jumps", async () => {
  for (const later of [8 * DAY_MS, -8 * DAY_MS]) {
    await receive(formOf([fileNamed("a")]), NOW);
    expect((await waiting(NOW + 6 * DAY_MS)).shares).toHaveLength(1);
    expect((await waiting(NOW + later)).shares).toEqual([]);
    expect(count()).toBe(0);
  }
});

it("leaves nothing to the next person, and does without where there are no caches", async () => {
  await receive(formOf([fileNamed("a")]), NOW);
  await forgetReceived();
  expect(caches.all.size).toBe(0);
  vi.stubGlobal("caches", undefined);
  await forgetReceived();
});
