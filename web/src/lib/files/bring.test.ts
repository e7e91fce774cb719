import { expect, it, vi } from "vitest";
import type { Entry } from "../api/types.ts";
import { listing } from "../state/listing.svelte.ts";
import { uploads } from "../state/uploads.svelte.ts";
import { bringAgain, bringFiles, bringRest, named, placesOf } from "./bring.ts";

const file = (name: string, webkitRelativePath = "") => ({ name, webkitRelativePath }) as File;

it("puts picked files where their own folder says", () => {
  const [alone, inner, deep] = [file("a"), file("b", "tree/b"), file("c", "tree/x/c")];
  expect(placesOf([alone, inner, deep], "docs")).toEqual([
    { folder: "docs", file: alone },
    { folder: "docs/tree", file: inner, root: "docs/tree" },
    { folder: "docs/tree/x", file: deep, root: "docs/tree" },
  ]);
  expect(placesOf([inner], "")).toEqual([{ folder: "tree", file: inner, root: "tree" }]);
});

it("knows of the folder on show what is there already", () => {
  const add = vi.spyOn(uploads, "add").mockReturnValue();
  const there: Entry = { name: "a", type: "file", size: 3, modified: "then", mime: "", writable: true };
  listing.shownPath = "docs";
  listing.all = [there];
  bringFiles([
    { folder: "docs", file: file("a") },
    { folder: "docs", file: file("b") },
    { folder: "docs/tree", file: file("a") },
  ]);
  const [brought] = add.mock.calls[0] ?? [];
  expect(brought?.map((one) => one.there)).toEqual([{ size: 3, modified: "then", mime: "", etag: undefined }, undefined, undefined]);
});

const film = (lastModified: number, name = "film.mkv") => new File(["four"], name, { lastModified });
const waiting = { id: "1", path: "docs/film.mkv", size: 4, offset: 2, modified: "2023-11-14T22:13:20.123Z", last: "", expires: "", isPasted: false };

it("goes on with the file that waited, whatever it is called by now, and with no other", () => {
  const add = vi.spyOn(uploads, "add").mockReturnValue();
  add.mockClear();
  expect(bringAgain(waiting, film(1_700_000_000_124))).toBe(false);
  expect(bringAgain(waiting, new File(["longer"], "film.mkv", { lastModified: 1_700_000_000_123 }))).toBe(false);
  expect(add).not.toHaveBeenCalled();
  expect(bringAgain(waiting, film(1_700_000_000_123, "renamed.mkv"))).toBe(true);
  const [brought] = add.mock.calls[0]?.[0] ?? [];
  expect(brought?.folder).toBe("docs");
  expect(brought?.file).toMatchObject({ name: "film.mkv", size: 4, lastModified: 1_700_000_000_123 });
});

it("brings the rest of a folder, and not of another one", () => {
  const add = vi.spyOn(uploads, "add").mockReturnValue();
  add.mockClear();
  const batch = { id: "b", path: "docs/tree", isFolder: true, all: 2, done: 1 };
  expect(bringRest(batch, [file("a", "wood/a")])).toBe(false);
  expect(add).not.toHaveBeenCalled();
  expect(bringRest(batch, [file("a", "tree/a")])).toBe(true);
  expect(add.mock.calls[0]?.[0]).toMatchObject([{ folder: "docs/tree", root: "docs/tree" }]);
});

it("calls what has no name of its own after its time", () => {
  const at = new Date(2026, 10, 29, 9, 5, 7).getTime();
  expect(named(film(at, "image.png"), "Picture").name).toBe("Picture 2026-11-29 09.05.07.png");
  expect(named(film(at, "image.jpg"), "Photo")).toMatchObject({ size: 4, lastModified: at });
  const own = film(at, "IMG_0001.jpg");
  expect(named(own, "Photo")).toBe(own);
});
