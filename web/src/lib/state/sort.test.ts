import { describe, expect, it } from "vitest";
import type { Entry } from "../api/types.ts";
import { nextSorting, readSorting, SORTING_AT_FIRST, sortEntries, type SortKey, writeSorting } from "./sort.ts";

function entry(name: string, size = 0, modified = "2024-01-01T00:00:00Z"): Entry {
  const type = name.endsWith("/") ? "folder" : "file";
  return { name: name.replace("/", ""), type, size, modified, mime: "", writable: true };
}

function order(entries: Entry[], key: SortKey, isDescending = false): string[] {
  return sortEntries(entries, { key, isDescending }, "en").map((one) => one.name);
}

describe("the order of entries", () => {
  it("counts as people do and knows no case", () => {
    const entries = ["img10", "img2", "Img1", "b", "Ä", "a"].map((name) => entry(name));
    expect(order(entries, "name")).toEqual(["a", "Ä", "b", "Img1", "img2", "img10"]);
    expect(order(entries, "name", true)).toEqual(["img10", "img2", "Img1", "b", "Ä", "a"]);
  });

  it("has folders first in any direction", () => {
    const entries = [entry("a", 9), entry("z/", 1), entry("b", 1)];
    expect(order(entries, "name", true)).toEqual(["z", "b", "a"]);
    expect(order(entries, "size", true)).toEqual(["z", "a", "b"]);
    expect(order(entries, "size")).toEqual(["z", "b", "a"]);
  });

  it("does not believe in folders' sizes", () => {
    const entries = [entry("b/", 1), entry("a/", 2)];
    expect(order(entries, "size")).toEqual(["a", "b"]);
  });

  it("puts the newest first when descending, and equals by name", () => {
    const entries = [
      entry("old", 0, "2023-05-01T10:00:00Z"),
      entry("new", 0, "2024-05-01T10:00:00Z"),
      entry("also new", 0, "2024-05-01T10:00:00Z"),
    ];
    expect(order(entries, "modified", true)).toEqual(["also new", "new", "old"]);
  });

  it("tells names apart that differ in case only, always alike", () => {
    const entries = [entry("a"), entry("A")];
    expect(order(entries, "name")).toEqual(order([...entries].reverse(), "name"));
  });

  it("leaves what it was given alone", () => {
    const entries = [entry("b"), entry("a")];
    order(entries, "name");
    expect(entries.map((one) => one.name)).toEqual(["b", "a"]);
  });

  it("turns around at a second click, and begins with the big and the new", () => {
    expect(nextSorting(SORTING_AT_FIRST, "name")).toEqual({ key: "name", isDescending: true });
    expect(nextSorting(SORTING_AT_FIRST, "size")).toEqual({ key: "size", isDescending: true });
    expect(nextSorting({ key: "size", isDescending: true }, "name")).toEqual(SORTING_AT_FIRST);
  });
});

describe("the order kept", () => {
  it("comes back as it was, and what is none is the first", () => {
    for (const sorting of [SORTING_AT_FIRST, { key: "size", isDescending: true } as const]) {
      expect(readSorting(writeSorting(sorting))).toEqual(sorting);
    }
    for (const kept of [null, "", "-", "toString", "-nothing"]) {
      expect(readSorting(kept)).toEqual(SORTING_AT_FIRST);
    }
  });

  it("knows kinds", () => {
    const film = { ...entry("a.mp4"), mime: "video/mp4" };
    const picture = { ...entry("b.jpg"), mime: "image/jpeg" };
    expect(order([film, picture], "kind")).toEqual(["b.jpg", "a.mp4"]);
  });
});
