import { expect, it, vi } from "vitest";
import type { Entry } from "../api/types.ts";
import { listing } from "../state/listing.svelte.ts";
import { uploads } from "../state/uploads.svelte.ts";
import { bringFiles, placesOf } from "./bring.ts";

const file = (name: string, webkitRelativePath = "") => ({ name, webkitRelativePath }) as File;

it("puts picked files where their own folder says", () => {
  const [alone, inner, deep] = [file("a"), file("b", "tree/b"), file("c", "tree/x/c")];
  expect(placesOf([alone, inner, deep], "docs")).toEqual([
    { folder: "docs", file: alone },
    { folder: "docs/tree", file: inner },
    { folder: "docs/tree/x", file: deep },
  ]);
  expect(placesOf([inner], "")).toEqual([{ folder: "tree", file: inner }]);
});

it("knows of the folder on show what is there already", () => {
  const add = vi.spyOn(uploads, "add").mockResolvedValue();
  const there: Entry = { name: "a", type: "file", size: 3, modified: "then", mime: "", writable: true };
  listing.shownPath = "docs";
  listing.all = [there];
  bringFiles([
    { folder: "docs", file: file("a") },
    { folder: "docs", file: file("b") },
    { folder: "docs/tree", file: file("a") },
  ]);
  const [brought] = add.mock.calls[0] ?? [];
  expect(brought?.map((one) => one.there)).toEqual([{ size: 3, modified: "then" }, undefined, undefined]);
});
