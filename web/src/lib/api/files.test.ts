import { expect, it } from "vitest";
import { readSome } from "./files.ts";

const text = JSON.stringify({ items: ["a", "b", "c"], entries: [{ name: "a" }, { name: '},{"name":' }, { name: "c" }] });

it("reads a list that is cut off up to the last whole entry", () => {
  expect(readSome(text, true).map(({ name }) => name)).toEqual(["a", '},{"name":', "c"]);
  expect(readSome(text.slice(0, -4), false).map(({ name }) => name)).toEqual(["a", '},{"name":']);
  expect(readSome(text.slice(0, 20), false)).toEqual([]);
});
