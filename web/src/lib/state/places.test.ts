import { expect, it } from "vitest";
import { Places } from "./places.ts";

/** What a tab keeps, and how often it was written. */
function tab(kept: string | null = null) {
  const storage = { kept, getItem: () => storage.kept, setItem: (_: string, text: string) => void (storage.kept = text) };
  return storage;
}

it("are there again after a reload", () => {
  const storage = tab();
  const places = new Places(() => storage);
  places.keep("a", { scrollY: 480, cursor: "x.txt" });
  places.keep("b", {});
  expect(new Places(() => storage).of("a")).toEqual({ scrollY: 480, cursor: "x.txt" });
  expect(new Places(() => storage).of("never")).toEqual({});
});

it("are not kept without end; the one left longest ago goes first", () => {
  const storage = tab();
  const places = new Places(() => storage);
  places.keep("first", { scrollY: 1 });
  for (let at = 0; at < 199; at += 1) places.keep(`${at}`, { scrollY: at });
  places.keep("first", { scrollY: 2 });
  places.keep("one more", { scrollY: 3 });
  expect(places.of("first")).toEqual({ scrollY: 2 });
  expect(places.of("0")).toEqual({});
  expect(places.of("1")).toEqual({ scrollY: 1 });
});

it("outlive a browser that keeps nothing, and one that kept something else", () => {
  const nothing = new Places(() => {
    throw new Error("denied");
  });
  nothing.keep("a", { scrollY: 7 });
  expect(nothing.of("a")).toEqual({ scrollY: 7 });
  for (const kept of ["{", "7", '{"a":1}', '[["a"]]', '[["a",{"scrollY":"7","cursor":3}]]', "[1,null]"]) {
    expect(new Places(() => tab(kept)).of("a"), kept).toEqual({});
  }
});
